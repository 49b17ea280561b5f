"""One stream on this worker: the thread that supervises its encoder and does what the operator asked."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.domain.streams import DesiredState, RuntimeState, Stream
from chalicelib.ports import Clock, MediaStore, Runtimes, StoreUnavailable, Streams
from worker.claims import HeldClaim
from worker.config import WorkerConfig
from worker.publishing.channel import Channel
from worker.publishing.publication import Publication
from worker.supervision.driver import Driver
from worker.supervision.reporter import Reporter
from worker.supervision.run import STOP_GRACE_S
from worker.supervision.run_logs import RunLogs
from worker.supervision.state_machine import StreamStateMachine

log = logging.getLogger(__name__)

TICK_S = 0.15
LOOK_INTERVAL_S = 1.0
# What ending a run and publishing its last segments may take, where no hand-over leaves less.
CLOSE_S = 3.5
# What is left of a hand-over's time for the last report and the claim's release.
RELEASE_S = 0.5
LOGS_WAIT_S = 0.5


class EndReason(StrEnum):
    """Why a pipeline lets go."""

    PAUSED = "paused"
    STOPPED = "stopped"
    HANDOVER = "handed over to another worker"
    LOST = "the claim was lost"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Ports:
    """The outside world, as a pipeline needs it."""

    streams: Streams
    runtimes: Runtimes
    media: MediaStore
    clock: Clock


class Pipeline(threading.Thread):
    """Runs until the stream is no longer to be live here, then lets its claim go."""

    def __init__(
        self,
        ports: Ports,
        config: WorkerConfig,
        stream: Stream,
        held: HeldClaim,
        restarts: int = 0,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name=f"stream-{stream.stream_id}", daemon=True)
        self.stream = stream
        self.held = held
        self.supervision = StreamStateMachine(stream.segment_seconds, restarts=restarts)
        self.end: EndReason | None = None
        self._ports = ports
        self._on_end = ended
        self._config = config
        self._reporter = Reporter(ports.runtimes, ports.clock, held)
        self._wake = threading.Event()
        self._hand_over_by_s: float | None = None
        self._logs = RunLogs(ports.media, ports.clock, held, lambda: (self.stream.ingest_key,))
        self._driver = Driver(config, self.supervision, held.claim.epoch, self._logs)
        self._publication: Publication | None = None
        self._look_at_s = 0.0
        self._silent: set[str] = set()

    def poke(self) -> None:
        """Something may have changed: look at once."""
        self._look_at_s = 0.0
        self._wake.set()

    def hand_over(self, by_s: float) -> None:
        """Let go by then, by the monotonic clock, so that another worker can take the stream.

        What is still not published then never is. The logs take `LOGS_WAIT_S` more.
        """
        self._hand_over_by_s = by_s
        self._wake.set()

    def run(self) -> None:
        """The thread."""
        try:
            log.info("claimed", extra={**self._who(), "generation": self.stream.generation})
            self._logs.start()
            self._open()
            while self.end is None:
                self.end = self._tick(time.monotonic())
                if self.end is None:
                    self._wake.wait(TICK_S)
                    self._wake.clear()
        except Exception as error:
            # A mistake of ours must not leave an encoder running or the claim held: the next look starts it again.
            log.exception("the pipeline crashed", extra=self._who())
            self.end, self.supervision.last_error = (
                EndReason.CRASHED,
                f"internal error: {type(error).__name__}: {error}",
            )
        finally:
            self._let_go(self.end or EndReason.CRASHED)
            log.info("let go", extra={**self._who(), "end": self.end})
            self._on_end()

    def _tick(self, now_s: float) -> EndReason | None:
        self._asking("renewal of the claim", self.held.renew_if_due)
        if self.held.is_lost:
            return EndReason.LOST
        if self._hand_over_by_s is not None:
            return EndReason.HANDOVER
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_INTERVAL_S
            self._asking("look at the stream", self._look)
        if self.end:
            return self.end
        if self._publication:
            if not self._publication.is_alive() and not self.held.is_lost:
                raise RuntimeError(f"publishing ended: {self._publication.error}")
            self._driver.drive(now_s, self.stream, self._publication, lambda: self._asking("report", self._report))
        self._asking("report", self._report)
        return None

    def _look(self) -> None:
        seen = self._ports.streams.get(self.stream.stream_id)
        if seen is None or seen.archived or seen.desired_state is DesiredState.STOPPED:
            self.end = EndReason.STOPPED
        elif seen.desired_state is DesiredState.PAUSED:
            self.end = EndReason.PAUSED
        elif seen.generation != self.stream.generation:
            self._reopen(seen)
        elif seen != self.stream:
            self.stream = seen
            if self._publication:
                self._publication.set_window(seen.window_minutes * 60)

    def _open(self) -> None:
        """Begin to publish under the present settings."""
        stream = self.stream
        channel = Channel(
            stream_id=stream.stream_id,
            epoch=self.held.claim.epoch,
            first_run=self._driver.runs + 1,
            renditions=stream.renditions,
            segment_seconds=stream.segment_seconds,
        )
        media, clock, window_s = self._ports.media, self._ports.clock, stream.window_minutes * 60
        environ = self._config.ffmpeg_environ
        self._publication = Publication(media, clock, channel, self.held, window_s, environ, self._wake.set)
        self._publication.start()

    def _reopen(self, seen: Stream) -> None:
        """The operator changed what needs a new run."""
        log.info("new settings", extra={**self._who(), "generation": seen.generation})
        restarted = replace(self.stream, generation=seen.generation, version=seen.version) == seen
        # Whoever restarts a stream wants all of it anew; else no sender is sent away.
        keep_for = None if restarted else seen
        if not self._close("restarted" if restarted else "new settings", ended=False, keep_for=keep_for):
            # A write that hangs may still arrive, and only a higher epoch shuts it out: the claim is taken anew.
            self._publication, self.end = None, EndReason.HANDOVER
            return
        self.stream = seen
        self.supervision.settings_changed(seen.segment_seconds)
        self._open()

    def _close(self, reason: str, *, ended: bool, keep_for: Stream | None = None) -> bool:
        """End the run and publish what is left; False if that was not done in time and something may hang."""
        by_s = time.monotonic() + CLOSE_S
        if self._hand_over_by_s is not None:
            by_s = min(by_s, self._hand_over_by_s - RELEASE_S)
        self._driver.stop(reason, kill=time.monotonic() + STOP_GRACE_S > by_s, keep_for=keep_for)
        if self._publication and not self._publication.finish(ended=ended, by_s=by_s):
            log.error("the last segments could not be published in time", extra=self._who())
            return False
        return True

    def _let_go(self, end: EndReason) -> None:
        if end in (EndReason.LOST, EndReason.CRASHED):
            if self._publication:
                self._publication.abandon()
            self._driver.stop(end, kill=True)
        self._close(end, ended=end is EndReason.STOPPED)
        if end is not EndReason.LOST:
            self.supervision.state = RuntimeState.FAILED if end is EndReason.CRASHED else RuntimeState.STOPPED
            self._asking("report", self._report)
            self.held.release()
        # The next worker waits for none of this.
        self._logs.close(LOGS_WAIT_S)
        self._driver.clear(self.stream)

    def _report(self) -> None:
        generation, driver = self.stream.generation, self._driver
        self._reporter.report_if_due(time.monotonic(), self.supervision, generation, driver, self._publication)

    def _asking(self, what: str, work: Callable[[], None]) -> None:
        """Ask a store; that it is silent is said once, and the work goes on as long as the claim allows."""
        try:
            work()
            self._silent.discard(what)
        except StoreUnavailable as error:
            if what not in self._silent:
                log.warning("a store is silent", extra={**self._who(), "what": what, "error": str(error)})
            self._silent.add(what)

    def _who(self) -> dict[str, object]:
        return {"stream_id": self.stream.stream_id, "epoch": self.held.claim.epoch}
