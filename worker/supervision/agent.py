"""The agent: finds streams that are to be live, claims them, and runs a pipeline for each."""

import logging
import queue
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Sequence

from chalicelib.domain.streams.runtime import Claim, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.operations.workers import Workers
from chalicelib.ports.streams.streams import Streams, WorkQueue
from worker import claims
from worker.config import WorkerConfig
from worker.supervision.pipeline import EndReason, Pipeline, Ports
from worker.supervision.presence import Presence

log = logging.getLogger(__name__)

TICK_S = 0.25
# Every worker scans the tables, which are authoritative; messages only make it faster.
SCAN_INTERVAL_S = 5.0
EXPIRY_SLACK_S = 0.05
POLL_WAIT_S = 10
POLL_RETRY_S = 2.0
HINTS_MAX = 1_000
PAGE = 100
# The longest drain; a process manager kills the worker after that.
DRAIN_S = 4.0
# The part of it after the claims are released: for the logs, and for offering the streams to other workers.
AFTERWARDS_S = 1.0
OFFER_WAIT_S = 0.4


class Agent:
    """The owner of this process's pipelines. Used by the main thread."""

    def __init__(self, ports: Ports, work_queue: WorkQueue, workers: Workers, config: WorkerConfig) -> None:
        self._ports = ports
        self._queue = work_queue
        self._config = config
        self._presence = Presence(workers, ports.clock, config)
        # Not an Event: its lock may be held by the very thread that the signal handler interrupts.
        self._stopping = False
        self._wake = threading.Event()
        self._hints: queue.Queue[str] = queue.Queue(HINTS_MAX)
        self._pipelines: dict[str, Pipeline] = {}
        self._listener = threading.Thread(target=self._listen, name="hints", daemon=True)
        self._scan_at_s = 0.0

    def stop(self) -> None:
        """Make `run` drain and return, from the next tick on. Safe in a signal handler."""
        self._stopping = True

    def run(self) -> bool:
        """Work until `stop`. Return whether all pipelines have ended in time."""
        shutil.rmtree(self._config.scratch_dir, ignore_errors=True)
        self._config.scratch_dir.mkdir(parents=True, exist_ok=True)
        self._listener.start()
        log.info("started", extra={"worker_id": self._config.worker_id, "capacity": self._config.capacity})
        while not self._stopping:
            self._config.heartbeat_file.touch()
            self._reap()
            try:
                self._follow_hints()
                if time.monotonic() >= self._scan_at_s:
                    self._scan_at_s = time.monotonic() + SCAN_INTERVAL_S
                    self._scan()
                self._presence.report_if_due(time.monotonic(), self._pipelines)
            except StoreUnavailable as error:
                log.warning("a store is unavailable", extra={"error": str(error)})
            self._wake.wait(TICK_S)
            self._wake.clear()
        return self._drain()

    def _scan(self) -> None:
        for stream in _live_streams(self._ports.streams):
            if len(self._pipelines) >= self._config.capacity or self._stopping:
                return
            self._claim_and_run(stream)

    def _follow_hints(self) -> None:
        while not self._hints.empty():
            stream_id = self._hints.get_nowait()
            if stream_id in self._pipelines:
                self._pipelines[stream_id].wake()
                continue
            stream = self._ports.streams.get(stream_id)
            if stream and _is_wanted(stream):
                self._claim_and_run(stream)

    def _claim_and_run(self, stream: Stream) -> None:
        if stream.stream_id in self._pipelines or len(self._pipelines) >= self._config.capacity:
            return
        runtime = self._ports.runtimes.get(stream.stream_id)
        if runtime and runtime.claim and not self._is_free(runtime.claim):
            # Its worker may be dead: scan again as soon as the claim expires.
            left_s = (runtime.claim.expires_at_ms - self._ports.clock.now_ms()) / 1000 + EXPIRY_SLACK_S
            self._scan_at_s = min(self._scan_at_s, time.monotonic() + max(left_s, TICK_S))
            return
        held_claim = claims.claim_stream(
            self._ports.runtimes, self._ports.clock, stream.stream_id, self._config.worker_id
        )
        if held_claim is None:
            return
        restarts = runtime.restarts if runtime and runtime.state is not RuntimeState.STOPPED else 0
        pipeline = Pipeline(self._ports, self._config, stream, held_claim, restarts, self._wake.set)
        self._pipelines[stream.stream_id] = pipeline
        pipeline.start()

    def _is_free(self, claim: Claim) -> bool:
        """Return whether a claim can be taken: a scan of other workers' streams then writes nothing."""
        return claim.worker_id == self._config.worker_id or claim.expires_at_ms <= self._ports.clock.now_ms()

    def _reap(self) -> None:
        ended = [stream_id for stream_id, pipeline in self._pipelines.items() if not pipeline.is_alive()]
        for stream_id in ended:
            # The operator may have changed its state meanwhile. Lost or crashed, it waits for the next scan.
            if self._pipelines.pop(stream_id).end in (EndReason.PAUSED, EndReason.STOPPED, EndReason.HANDOVER):
                self._scan_at_s = 0.0

    def _listen(self) -> None:
        while not self._stopping:
            try:
                for hint in self._queue.receive(POLL_WAIT_S):
                    if self._stopping:
                        # The message of this last poll is for another worker.
                        self._queue.send(hint.stream_id)
                    else:
                        self._hints.put(hint.stream_id)
                        self._wake.set()
                    self._queue.done(hint)
            except StoreUnavailable as error:
                log.warning("the queue is unavailable", extra={"error": str(error)})
                time.sleep(POLL_RETRY_S)

    def _drain(self) -> bool:
        deadline_s = time.monotonic() + DRAIN_S
        log.info("draining", extra={"streams": len(self._pipelines)})
        for pipeline in self._pipelines.values():
            pipeline.hand_over(deadline_s - AFTERWARDS_S)
        # An unavailable store must not delay the streams.
        leaving = threading.Thread(target=self._presence.leave, name="leave", daemon=True)
        leaving.start()
        _join(self._pipelines.values(), deadline_s)
        handed_over = [stream_id for stream_id, each in self._pipelines.items() if each.end is EndReason.HANDOVER]
        offering = threading.Thread(target=self._offer, args=(handed_over,), name="offer", daemon=True)
        offering.start()
        _join((leaving, offering), deadline_s)
        stuck = [stream_id for stream_id, pipeline in self._pipelines.items() if pipeline.is_alive()]
        self._config.heartbeat_file.unlink(missing_ok=True)
        log.info("drained", extra={"stuck": stuck})
        return not stuck

    def _offer(self, stream_ids: Sequence[str]) -> None:
        """Notify the other workers at once, instead of at their next scan."""
        try:
            for stream_id in stream_ids:
                self._queue.send(stream_id)
        except StoreUnavailable as error:
            log.warning("the queue is unavailable", extra={"error": str(error)})
        if stream_ids:
            self._listener.join(OFFER_WAIT_S)


def _join(threads: Iterable[threading.Thread], by_s: float) -> None:
    for thread in threads:
        thread.join(max(0.0, by_s - time.monotonic()))


def _is_wanted(stream: Stream) -> bool:
    return stream.desired_state is DesiredState.LIVE and not stream.archived


def _live_streams(streams: Streams) -> Iterator[Stream]:
    cursor: str | None = None
    while True:
        page = streams.list(limit=PAGE, cursor=cursor)
        yield from (stream for stream in page.items if _is_wanted(stream))
        cursor = page.next_cursor
        if cursor is None:
            return
