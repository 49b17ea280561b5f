"""The open sources of a stream."""

import logging
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from chalicelib.domain.streams.ingest import BACKUPS_MAX, IngestMode
from chalicelib.domain.streams.runtime import RuntimeState, source_name
from chalicelib.domain.streams.stream import Stream
from worker.config import WorkerConfig
from worker.ingest.failover import Failover, Failure
from worker.ingest.hls.played import PlayedSegments
from worker.ingest.live_source_opener import WAITING_REASON, LiveSourceOpener
from worker.ingest.refused_senders import refused_reason
from worker.ingest.source_opener import OpenerStatus, PatternSourceOpener, SourceOpener
from worker.ingest.source_receiver import SourceReceiver
from worker.processes.child import LOG_LINES_MAX

log = logging.getLogger(__name__)

FAILED = {OpenerStatus.FAILED: Failure.BROKEN, OpenerStatus.REFUSED: Failure.REFUSED}
# A source may have changed since it was examined: after so many ended runs it is opened again.
BREAKS_PER_OPENING = 2

# The times of so many connections of senders are kept.
CONNECTIONS_KEPT = 20

# Called every tick for each source that is not open: its name, the reason, and its receiver's log.
ReportUnopened = Callable[[str, str, deque[str]], None]


class SourcePool:
    """The sources that `worker.ingest.failover` wants open. Used by the supervising thread."""

    def __init__(self, stream: Stream, config: WorkerConfig, now_s: float, report_unopened: ReportUnopened) -> None:
        self.failover = Failover(len(stream.sources), idle_since_s=now_s)
        self._stream = stream
        self._config = config
        self._report_unopened = report_unopened
        self._openers: dict[int, SourceOpener] = {}
        # How many runs of an open source have failed since the last stable one.
        self._breaks: dict[int, int] = {}
        # A failed source is retried for ever; the same reason is logged once.
        self._logged: dict[int, str] = {}
        # The sender that a listener refused last, and what its receiver said, until another one is heard of.
        self._refused: dict[int, tuple[str, list[str]]] = {}
        # What was passed on of each source's HLS: it is not played again when the source is opened again.
        self._played: defaultdict[int, PlayedSegments] = defaultdict(PlayedSegments)
        # When the senders of the listening source began, and the receiver of the last one.
        self.connected_s: deque[float] = deque(maxlen=CONNECTIONS_KEPT)
        self._connected: SourceReceiver | None = None
        # Why and when a sender was rejected last.
        self.rejected: tuple[str, float] | None = None

    def update(self, now_s: float) -> None:
        """Close and open sources as needed, and report to failover how they do."""
        wanted = self.failover.sources_to_open(now_s)
        for index in [index for index in self._openers if index not in wanted]:
            self._close(index)
        for index in wanted:
            if index not in self._openers:
                self._openers[index] = self._open(index, now_s, self._logged.get(index, ""))
                self.failover.record_opened(index, now_s)
            self._judge(index, now_s)

    def adopt(self, stream: Stream, now_s: float) -> None:
        """Continue under new settings. Live sources that these do not change stay open: no sender is disconnected."""
        before, self._stream = self._stream, stream
        self.failover = Failover(len(stream.sources), idle_since_s=now_s)
        self._breaks.clear()
        self._logged.clear()
        self._refused.clear()
        for index in [index for index in self._played if not _is_same_source(index, stream, before)]:
            del self._played[index]
        same_key = stream.ingest_key == before.ingest_key
        for index, opener in list(self._openers.items()):
            same = same_key and _is_same_source(index, stream, before)
            if same and opener.status not in FAILED and opener.adopt(stream):
                self.failover.record_opened(index, now_s)
            else:
                self._openers.pop(index).close()

    @property
    def playing(self) -> SourceOpener | None:
        """Return the opener of the source that is played; None while none is."""
        return None if self.failover.playing is None else self._openers[self.failover.playing]

    def opener(self, index: int) -> SourceOpener:
        """Return the opener of a source that is open."""
        return self._openers[index]

    def record_break(self, index: int, now_s: float, error: str) -> None:
        """Note that a source's run has ended, and not on purpose. The first time, the source stays open.

        Most such ends do not recur, and a new opening would keep viewers waiting.
        """
        opener = self._openers[index]
        if opener.status in FAILED:
            self._fail(index, now_s, opener)
            return
        self.failover.record_failure(index, now_s, error)
        self._breaks[index] = self._breaks.get(index, 0) + 1
        if self._breaks[index] >= BREAKS_PER_OPENING:
            self._close(index)

    def must_reopen(self, now_s: float) -> bool:
        """Return whether the source that is played has ended only because its format changes."""
        return self.playing is not None and self.playing.must_reopen(now_s)

    def reopen(self, now_s: float) -> None:
        """Close the source that was played. It is opened again at once, which is no failure."""
        if self.failover.playing is not None:
            self._close(self.failover.playing)
        self.failover.record_playing(None, now_s)

    def record_frozen(self, index: int, now_s: float, reason: str) -> None:
        """Note that a source's run was ended since nothing moves. It stays open, and waits for movement."""
        self._openers[index].await_movement(reason)
        self.failover.record_failure(index, now_s, reason, Failure.WAITING)

    def frozen_sources(self) -> tuple[str, ...]:
        """Return the names of the sources that are open and not played since nothing moves in them."""
        return tuple(source_name(index) for index, opener in sorted(self._openers.items()) if opener.is_frozen)

    def record_stable(self, index: int) -> None:
        """Note that a source has been played well for minutes."""
        self.failover.record_stable(index)
        self._breaks.pop(index, None)

    def close(self) -> None:
        """Close all sources at the same time, since receivers that hang take a while."""
        with ThreadPoolExecutor(1 + BACKUPS_MAX) as pool:
            list(pool.map(lambda opener: opener.close(), self._openers.values()))
        for index in self._openers:
            self.failover.record_closed(index)
        self._openers.clear()

    def trouble(self) -> tuple[RuntimeState, str] | None:
        """Return the stream's state while nothing is played, and the reason for the operator; None without any."""
        troubles = self.failover.troubles()
        if not troubles:
            return None
        failures = {failure for _, failure, _ in troubles}
        state = RuntimeState.BACKOFF
        if Failure.WAITING in failures:
            state = RuntimeState.STARTING
        elif failures == {Failure.REFUSED}:
            state = RuntimeState.FAILED
        several = self.failover.count > 1
        return state, "; ".join((f"{source_name(n)}: " if several else "") + error for n, _, error in troubles)

    def _open(self, index: int, now_s: float, before: str) -> SourceOpener:
        ingest = self._stream.sources[index]
        if ingest.mode is IngestMode.TEST:
            return PatternSourceOpener(self._stream)
        return LiveSourceOpener(
            ingest, self._stream, self._config, now_s, before, self._played[index], self._refused.get(index, ("",))[0]
        )

    def _judge(self, index: int, now_s: float) -> None:
        opener = self._openers[index]
        opener.update(now_s)
        if opener.is_listener:
            self._note_senders(now_s, opener)
        match opener.status:
            case OpenerStatus.READY:
                self._logged.pop(index, None)
                self._refused.pop(index, None)
                self.failover.record_answer(index, now_s)
            case OpenerStatus.WAITING:
                self.failover.record_waiting(index, now_s, opener.reason)
                self._report(index, opener)
            case OpenerStatus.FAILED | OpenerStatus.REFUSED:
                # The run of the source that is played has to be ended first.
                if index != self.failover.playing:
                    self._report(index, opener)
                    self._fail(index, now_s, opener)

    def _note_senders(self, now_s: float, opener: SourceOpener) -> None:
        self.rejected = opener.rejected or self.rejected
        if opener.status is OpenerStatus.READY and opener.receiver is not self._connected:
            self._connected = opener.receiver
            self.connected_s.append(now_s)

    def _report(self, index: int, opener: SourceOpener) -> None:
        lines = opener.receiver.lines if opener.receiver else deque[str]()
        if before := self._refused.get(index):
            lines = deque([*before[1], *lines], LOG_LINES_MAX)
        self._report_unopened(source_name(index), opener.reason, lines)

    def _fail(self, index: int, now_s: float, opener: SourceOpener) -> None:
        failure = (
            Failure.WAITING if opener.is_listener and opener.status is OpenerStatus.FAILED else FAILED[opener.status]
        )
        self.failover.record_failure(index, now_s, opener.reason, failure)
        if opener.is_listener and opener.receiver and opener.status is OpenerStatus.REFUSED:
            self._refused[index] = refused_reason(opener.reason), list(opener.receiver.lines)
        elif opener.reason != WAITING_REASON:
            self._refused.pop(index, None)
        if self._logged.get(index) != opener.reason:
            self._logged[index] = opener.reason
            who = {"stream_id": self._stream.stream_id, "source": source_name(index)}
            last_lines = list(opener.receiver.lines)[-5:] if opener.receiver else []
            log.warning("a source does not work", extra={**who, "error": opener.reason, "said": last_lines})
        self._close(index)

    def _close(self, index: int) -> None:
        self._openers.pop(index).close()
        self._breaks.pop(index, None)
        self.failover.record_closed(index)


def _is_same_source(index: int, new: Stream, old: Stream) -> bool:
    return new.sources[index : index + 1] == old.sources[index : index + 1]
