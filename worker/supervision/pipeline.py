"""One stream on this worker: a thread that supervises its encoder and follows the operator's settings."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.domain.streams.runtime import RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import Clock, StoreUnavailable
from chalicelib.ports.streams.ingest_issues import IngestIssues
from chalicelib.ports.streams.media import MediaStore
from chalicelib.ports.streams.streams import Runtimes, Streams
from worker.claims import HeldClaim
from worker.config import WorkerConfig
from worker.issues.judge import Judge
from worker.issues.recorder import IssueRecorder
from worker.publishing.channel import Channel
from worker.publishing.publication import Publication
from worker.supervision.driver import Driver
from worker.supervision.observing import Observer
from worker.supervision.reporter import Reporter
from worker.supervision.run import STOP_GRACE_S
from worker.supervision.run_logs import RunLogs
from worker.supervision.state_machine import StreamStateMachine

log = logging.getLogger(__name__)

TICK_S = 0.15
LOOK_INTERVAL_S = 1.0
# The longest time to end a run and publish its last segments; a hand-over may allow less.
CLOSE_S = 3.5
# The part of a hand-over's time for the last report and the claim's release.
RELEASE_S = 0.5
LOGS_WAIT_S = 0.5
ISSUES_INTERVAL_S = 1.0
# Shortens the times of all issues, for tests.
ISSUES_TIME_SCALE = 1.0


class EndReason(StrEnum):
    """Why a pipeline ends."""

    PAUSED = "paused"
    STOPPED = "stopped"
    HANDOVER = "handed over to another worker"
    LOST = "the claim was lost"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Ports:
    """The stores and the clock of a pipeline."""

    streams: Streams
    runtimes: Runtimes
    media: MediaStore
    ingest_issues: IngestIssues
    clock: Clock


class Pipeline(threading.Thread):
    """A thread that runs until the stream is no longer to be live here, and then releases its claim."""

    def __init__(
        self,
        ports: Ports,
        config: WorkerConfig,
        stream: Stream,
        held_claim: HeldClaim,
        restarts: int = 0,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name=f"stream-{stream.stream_id}", daemon=True)
        self.stream = stream
        self.held_claim = held_claim
        self.state_machine = StreamStateMachine(stream.segment_seconds, restarts=restarts)
        self.end: EndReason | None = None
        self._ports = ports
        self._on_end = on_end
        self._config = config
        self._reporter = Reporter(ports.runtimes, ports.clock, held_claim)
        self._wake = threading.Event()
        self._hand_over_by_s: float | None = None
        self._logs = RunLogs(ports.media, ports.clock, held_claim, lambda: (self.stream.ingest_key,))
        self._driver = Driver(config, self.state_machine, held_claim.claim.epoch, self._logs)
        self._publication: Publication | None = None
        self._observer = Observer(ports.media, ports.clock.now_ms, stream.stream_id, config.work_dir)
        self._judge = Judge(ISSUES_TIME_SCALE)
        self._issues = IssueRecorder(ports.ingest_issues, stream.stream_id, ports.clock.now_ms, ISSUES_TIME_SCALE)
        self._issues_at_s = 0.0
        self._look_at_s = 0.0
        self._unreachable: set[str] = set()

    def wake(self) -> None:
        """Reload the stream's settings at once."""
        self._look_at_s = 0.0
        self._wake.set()

    def hand_over(self, by_s: float) -> None:
        """End by this time of the monotonic clock, so that another worker can take the stream.

        Segments that are not published by then are lost. The logs take `LOGS_WAIT_S` more.
        """
        self._hand_over_by_s = by_s
        self._wake.set()

    def run(self) -> None:
        """Run until there is a reason to end."""
        try:
            log.info("claimed", extra={**self._log_fields(), "generation": self.stream.generation})
            self._logs.start()
            self._open()
            while self.end is None:
                self.end = self._tick(time.monotonic())
                if self.end is None:
                    self._wake.wait(TICK_S)
                    self._wake.clear()
        except Exception as error:
            # A bug must not leave an encoder running or the claim held: the next scan starts the stream again.
            log.exception("the pipeline crashed", extra=self._log_fields())
            self.end, self.state_machine.last_error = (
                EndReason.CRASHED,
                f"internal error: {type(error).__name__}: {error}",
            )
        finally:
            self._release(self.end or EndReason.CRASHED)
            log.info("released", extra={**self._log_fields(), "end": self.end})
            self._on_end()

    def _tick(self, now_s: float) -> EndReason | None:
        self._try("renewal of the claim", self.held_claim.renew_if_due)
        if self.held_claim.is_lost:
            return EndReason.LOST
        if self._hand_over_by_s is not None:
            return EndReason.HANDOVER
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_INTERVAL_S
            self._try("look at the stream", self._reload)
        if self.end:
            return self.end
        if self._publication:
            if not self._publication.is_alive() and not self.held_claim.is_lost:
                raise RuntimeError(f"publishing ended: {self._publication.error}")
            self._driver.drive(now_s, self.stream, self._publication, lambda: self._try("report", self._report))
        self._try("report", self._report)
        if now_s >= self._issues_at_s:
            self._issues_at_s = now_s + ISSUES_INTERVAL_S * ISSUES_TIME_SCALE
            self._try("record of the issues", lambda: self._record_issues(now_s))
        return None

    def _reload(self) -> None:
        stored = self._ports.streams.get(self.stream.stream_id)
        if stored is None or stored.archived or stored.desired_state is DesiredState.STOPPED:
            self.end = EndReason.STOPPED
        elif stored.desired_state is DesiredState.PAUSED:
            self.end = EndReason.PAUSED
        elif stored.generation != self.stream.generation:
            self._reopen(stored)
        elif stored != self.stream:
            self.stream = stored
            if self._publication:
                self._publication.set_window(stored.window_minutes * 60)

    def _open(self) -> None:
        """Start to publish under the present settings."""
        stream = self.stream
        channel = Channel(
            stream_id=stream.stream_id,
            epoch=self.held_claim.claim.epoch,
            first_run=self._driver.runs + 1,
            renditions=stream.renditions,
            segment_seconds=stream.segment_seconds,
        )
        media, clock, window_s = self._ports.media, self._ports.clock, stream.window_minutes * 60
        environ = self._config.ffmpeg_environ
        self._publication = Publication(media, clock, channel, self.held_claim, window_s, environ, self._wake.set)
        self._publication.start()

    def _reopen(self, stored: Stream) -> None:
        """Restart for settings that need a new run."""
        log.info("new settings", extra={**self._log_fields(), "generation": stored.generation})
        restarted = replace(self.stream, generation=stored.generation, version=stored.version) == stored
        # An operator's restart reopens all sources; other changes disconnect no sender.
        new_settings = None if restarted else stored
        if not self._close("restarted" if restarted else "new settings", ended=False, new_settings=new_settings):
            # A write that hangs may still arrive, and only a higher epoch fences it off: the stream is claimed again.
            self._publication, self.end = None, EndReason.HANDOVER
            return
        self.stream = stored
        self.state_machine.change_settings(stored.segment_seconds)
        self._open()

    def _close(self, reason: str, *, ended: bool, new_settings: Stream | None = None) -> bool:
        """End the run and publish its last segments. Return False if that hangs."""
        by_s = time.monotonic() + CLOSE_S
        if self._hand_over_by_s is not None:
            by_s = min(by_s, self._hand_over_by_s - RELEASE_S)
        self._driver.stop(reason, kill=time.monotonic() + STOP_GRACE_S > by_s, new_settings=new_settings)
        if self._publication and not self._publication.finish(ended=ended, by_s=by_s):
            log.error("the last segments could not be published in time", extra=self._log_fields())
            return False
        return True

    def _release(self, end: EndReason) -> None:
        if end in (EndReason.LOST, EndReason.CRASHED):
            if self._publication:
                self._publication.abandon()
            self._driver.stop(end, kill=True)
        self._close(end, ended=end is EndReason.STOPPED)
        if end is not EndReason.LOST:
            self.state_machine.state = RuntimeState.FAILED if end is EndReason.CRASHED else RuntimeState.STOPPED
            self._try("report", self._report)
            if end in (EndReason.PAUSED, EndReason.STOPPED):
                self._try("end of the issues", lambda: self._issues.close_all(time.monotonic()))
            self.held_claim.release()
        # The next worker does not wait for this.
        self._logs.close(LOGS_WAIT_S)
        self._driver.clear(self.stream)

    def _report(self) -> None:
        generation, driver = self.stream.generation, self._driver
        self._reporter.report_if_due(time.monotonic(), self.state_machine, generation, driver, self._publication)

    def _record_issues(self, now_s: float) -> None:
        seen = self._observer.observe(now_s, self.stream, self._driver, self._publication)
        self._issues.update(now_s, self._judge.verdicts(now_s, seen, self._issues.open_types))

    def _try(self, what: str, work: Callable[[], None]) -> None:
        """Access a store. Its failure is logged once, and the work goes on as long as the claim allows."""
        try:
            work()
            self._unreachable.discard(what)
        except StoreUnavailable as error:
            if what not in self._unreachable:
                log.warning("a store is unavailable", extra={**self._log_fields(), "what": what, "error": str(error)})
            self._unreachable.add(what)

    def _log_fields(self) -> dict[str, object]:
        return {"stream_id": self.stream.stream_id, "epoch": self.held_claim.claim.epoch}
