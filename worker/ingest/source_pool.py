"""Opens a stream's sources as `worker.ingest.source_choice` wants them, and tells it how they do."""

import logging
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from chalicelib.domain.ingest import BACKUPS_MAX, IngestMode
from chalicelib.domain.streams import RuntimeState, Stream, source_name
from worker.config import WorkerConfig
from worker.ingest.hls.played import PlayedSegments
from worker.ingest.live_source_opener import LiveSourceOpener
from worker.ingest.source_choice import Failure, SourceChoice
from worker.ingest.source_opener import OpenerStatus, PatternSourceOpener, SourceOpener

log = logging.getLogger(__name__)

FAILED = {OpenerStatus.FAILED: Failure.BROKEN, OpenerStatus.REFUSED: Failure.REFUSED}
# What a source was found to be at its beginning may not hold any more: after so many ends of runs it is opened anew.
BREAKS_PER_OPENING = 2

# Told of each source that is not open, again and again: its name, why, and what its receiver says.
ReportUnopened = Callable[[str, str, deque[str]], None]


class SourcePool:
    """The sources that are open. Used by the supervising thread."""

    def __init__(self, stream: Stream, config: WorkerConfig, now_s: float, tell: ReportUnopened) -> None:
        self.choice = SourceChoice(len(stream.sources), idle_since_s=now_s)
        self._stream = stream
        self._config = config
        self._tell = tell
        self._trials: dict[int, SourceOpener] = {}
        # How many runs of a source that is open have ended without anybody's wish, since the last that lasted.
        self._breaks: dict[int, int] = {}
        # A source that does not work is tried again and again; the same reason is logged once.
        self._logged: dict[int, str] = {}
        # What was handed out of each source's HLS: it is not played again when the source is opened again.
        self._played: defaultdict[int, PlayedSegments] = defaultdict(PlayedSegments)

    def look(self, now_s: float) -> None:
        """Close what is not wanted, open what is, and see how all of it does."""
        wanted = self.choice.wanted(now_s)
        for index in [index for index in self._trials if index not in wanted]:
            self._close(index)
        for index in wanted:
            if index not in self._trials:
                self._trials[index] = self._begin(index, now_s, self._logged.get(index, ""))
                self.choice.opened(index, now_s)
            self._judge(index, now_s)

    def adopt(self, stream: Stream, now_s: float) -> None:
        """Go on under new settings. Live sources stay open that these leave as they are: no sender is sent away."""
        before, self._stream = self._stream, stream
        self.choice = SourceChoice(len(stream.sources), idle_since_s=now_s)
        self._breaks.clear()
        self._logged.clear()
        for index in [index for index in self._played if not _is_same_source(index, stream, before)]:
            del self._played[index]
        same_key = stream.ingest_key == before.ingest_key
        for index, trial in list(self._trials.items()):
            same = same_key and _is_same_source(index, stream, before)
            if same and trial.status not in FAILED and trial.adopt(stream):
                self.choice.opened(index, now_s)
            else:
                self._trials.pop(index).close()

    def trial(self, index: int) -> SourceOpener:
        """One that is open."""
        return self._trials[index]

    def broke(self, index: int, now_s: float, error: str) -> None:
        """Its run has ended without anybody's wish. The first time, the source stays open.

        Most such ends are accidents, and to look at it again would keep viewers waiting.
        """
        trial = self._trials[index]
        if trial.status in FAILED:
            self._fail(index, now_s, trial)
            return
        self.choice.failed(index, now_s, error)
        self._breaks[index] = self._breaks.get(index, 0) + 1
        if self._breaks[index] >= BREAKS_PER_OPENING:
            self._close(index)

    def froze(self, index: int, now_s: float, reason: str) -> None:
        """Its run was ended since nothing moves in it. It stays open, and is not ready before something does."""
        self._trials[index].await_movement(reason)
        self.choice.failed(index, now_s, reason, Failure.WAITING)

    def frozen(self) -> tuple[str, ...]:
        """Return the names of the sources that are open and not played since nothing moves in them."""
        return tuple(source_name(index) for index, trial in sorted(self._trials.items()) if trial.is_frozen)

    def stable(self, index: int) -> None:
        """It was played well for minutes."""
        self.choice.stable(index)
        self._breaks.pop(index, None)

    def close(self) -> None:
        """End everything, side by side: receivers that hang take their time one by one."""
        with ThreadPoolExecutor(1 + BACKUPS_MAX) as pool:
            list(pool.map(lambda trial: trial.close(), self._trials.values()))
        for index in self._trials:
            self.choice.closed(index)
        self._trials.clear()

    def trouble(self) -> tuple[RuntimeState, str] | None:
        """What the stream's state is while nothing is played, and why, for the operator; None if nothing is wrong."""
        troubles = self.choice.troubles()
        if not troubles:
            return None
        failures = {failure for _, failure, _ in troubles}
        state = RuntimeState.BACKOFF
        if Failure.WAITING in failures:
            state = RuntimeState.STARTING
        elif failures == {Failure.REFUSED}:
            state = RuntimeState.FAILED
        several = self.choice.count > 1
        return state, "; ".join((f"{source_name(n)}: " if several else "") + error for n, _, error in troubles)

    def _begin(self, index: int, now_s: float, before: str) -> SourceOpener:
        ingest = self._stream.sources[index]
        if ingest.mode is IngestMode.TEST:
            return PatternSourceOpener(self._stream)
        return LiveSourceOpener(ingest, self._stream, self._config, now_s, before, self._played[index])

    def _judge(self, index: int, now_s: float) -> None:
        trial = self._trials[index]
        trial.look(now_s)
        match trial.status:
            case OpenerStatus.READY:
                self._logged.pop(index, None)
                self.choice.answered(index, now_s)
            case OpenerStatus.WAITING:
                self.choice.waiting(index, now_s, trial.reason)
                self._say(index, trial)
            case OpenerStatus.FAILED | OpenerStatus.REFUSED:
                # The run of the one that is played has to be ended first.
                if index != self.choice.playing:
                    self._say(index, trial)
                    self._fail(index, now_s, trial)

    def _say(self, index: int, trial: SourceOpener) -> None:
        self._tell(source_name(index), trial.reason, trial.feed.lines if trial.feed else deque())

    def _fail(self, index: int, now_s: float, trial: SourceOpener) -> None:
        failure = Failure.WAITING if trial.listens and trial.status is OpenerStatus.FAILED else FAILED[trial.status]
        self.choice.failed(index, now_s, trial.reason, failure)
        if self._logged.get(index) != trial.reason:
            self._logged[index] = trial.reason
            who = {"stream_id": self._stream.stream_id, "source": source_name(index)}
            said = list(trial.feed.lines)[-5:] if trial.feed else []
            log.warning("a source does not work", extra={**who, "error": trial.reason, "said": said})
        self._close(index)

    def _close(self, index: int) -> None:
        self._trials.pop(index).close()
        self._breaks.pop(index, None)
        self.choice.closed(index)


def _is_same_source(index: int, new: Stream, old: Stream) -> bool:
    return new.sources[index : index + 1] == old.sources[index : index + 1]
