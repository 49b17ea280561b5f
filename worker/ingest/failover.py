"""Failover: which of a stream's sources is played. Pure rules, times as monotonic seconds.

Sources are known by their index: 0 is the preferred one, the others are its backups in order. While nothing is played
they are opened one after the other, the next as soon as the last has failed or takes too long. While a backup is
played, the sources before it are opened now and then beside it. One that has answered twice in a row is played again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from worker.ingest.backoff import Backoff

# A source may take this long to open before the next one is opened as well.
PATIENCE_S = 3.0
# Twice in a row is twice with this between.
ANSWER_INTERVAL_S = 3.0
ANSWERS_TO_RETURN = 2
# While another source is played, the delay of a failed one is this many times longer.
WATCH_FACTOR = 25
# A refused source, or one without a sender, is tried again this often.
REFUSED_DELAY_S = 5.0
WAIT_DELAY_S = 0.5
# How long nothing is played before the slate is shown: short failures do not show it.
SLATE_AFTER_S = 2.0


class Failure(Enum):
    """Why a source is not played: it broke, it cannot be used as it is, or no sender is connected yet."""

    BROKEN = "broken"
    REFUSED = "refused"
    WAITING = "waiting"


@dataclass
class _SourceState:
    """The state of one source."""

    backoff: Backoff
    # Why it is not played, or recently was not.
    failure: Failure | None = None
    error: str = ""
    is_open: bool = False
    is_ready: bool = False
    # Since it was ready last: whether it has failed, and since when it has been awaited.
    has_failed: bool = False
    awaited_since_s: float | None = None
    answers: int = 0
    answered_at_s: float = 0.0
    retry_at_s: float = 0.0
    return_at_s: float = 0.0

    def await_from(self, now_s: float) -> None:
        """Count it as awaited from now on, if it is not yet."""
        self.awaited_since_s = now_s if self.awaited_since_s is None else self.awaited_since_s

    def is_given_up(self, now_s: float) -> bool:
        """Return whether it is time to open the next source as well."""
        if self.is_ready or now_s < self.retry_at_s:
            return now_s < self.retry_at_s
        return self.has_failed or (self.awaited_since_s is not None and now_s - self.awaited_since_s >= PATIENCE_S)


@dataclass
class Failover:
    """The choice among sources. Its owner reports how they do, and asks which to open and which to play."""

    count: int
    new_backoff: Callable[[], Backoff] = Backoff
    # The index of the source that is played; None while nothing, or the slate, is.
    playing: int | None = None
    idle_since_s: float = 0.0
    _states: list[_SourceState] = field(init=False)

    def __post_init__(self) -> None:
        self._states = [_SourceState(self.new_backoff()) for _ in range(self.count)]

    def sources_to_open(self, now_s: float) -> list[int]:
        """Return the sources that should be open now, including the one that is played."""
        found: list[int] = []
        for index, each in enumerate(self._states):
            if index == self.playing:
                return [*found, index]
            watched = self.playing is not None
            if each.is_open or now_s >= (each.return_at_s if watched else each.retry_at_s):
                found.append(index)
            if not watched and not each.is_given_up(now_s):
                break
        return found

    def record_opened(self, index: int, now_s: float) -> None:
        """Note that a source is being opened."""
        each = self._states[index]
        each.is_open = True
        each.await_from(now_s)

    def record_closed(self, index: int) -> None:
        """It is open no more."""
        each = self._states[index]
        each.is_open, each.is_ready, each.answers, each.awaited_since_s = False, False, 0, None

    def record_answer(self, index: int, now_s: float) -> None:
        """Note that a source could be played: picture comes from it right now."""
        each = self._states[index]
        each.is_ready, each.has_failed, each.awaited_since_s = True, False, None
        if each.failure is Failure.WAITING:
            each.failure, each.error = None, ""
        if each.answers == 0 or now_s - each.answered_at_s >= ANSWER_INTERVAL_S:
            each.answers += 1
            each.answered_at_s = now_s

    def record_waiting(self, index: int, now_s: float, reason: str) -> None:
        """Note that a source is open and waits for its sender, which is no failure."""
        each = self._states[index]
        each.is_ready, each.answers = False, 0
        each.await_from(now_s)
        each.failure, each.error = Failure.WAITING, reason

    def record_playing(self, index: int | None, now_s: float) -> None:
        """Note which source is played now; None: the slate."""
        self.playing, self.idle_since_s = index, now_s

    def record_failure(self, index: int, now_s: float, error: str, failure: Failure = Failure.BROKEN) -> None:
        """Note that a source could not be opened, or that its run has ended."""
        each = self._states[index]
        each.failure, each.error, each.has_failed, each.answers = failure, error, True, 0
        delay_s = {Failure.REFUSED: REFUSED_DELAY_S, Failure.WAITING: WAIT_DELAY_S}.get(failure)
        if delay_s is None:
            delay_s = each.backoff.next_delay_s()
        each.retry_at_s = now_s + delay_s
        each.return_at_s = now_s + (delay_s * WATCH_FACTOR if failure is Failure.BROKEN else delay_s)
        if self.playing == index:
            self.playing, self.idle_since_s = None, now_s

    def record_stable(self, index: int) -> None:
        """Note that a source has been played well for minutes."""
        each = self._states[index]
        each.backoff.reset()
        each.failure, each.error = None, ""

    def pick(self, now_s: float) -> int | None:
        """Return the source to play while nothing, or the slate, is played; None if none can be."""
        ready = (n for n, each in enumerate(self._states) if each.is_ready and now_s >= each.retry_at_s)
        return next(ready, None)

    def pick_better(self, now_s: float) -> int | None:
        """Return the source to go back to from the one that is played; None if none has proved itself."""
        before = self._states[: self.playing]
        good = (n for n, s in enumerate(before) if s.answers >= ANSWERS_TO_RETURN and now_s >= s.return_at_s)
        return next(good, None)

    def is_exhausted(self, now_s: float) -> bool:
        """Return whether no source can be played, nor soon will be: the slate is shown then."""
        idle = self.playing is None and now_s - self.idle_since_s >= SLATE_AFTER_S
        return idle and self.pick(now_s) is None and all(each.is_given_up(now_s) for each in self._states)

    def troubles(self) -> list[tuple[int, Failure, str]]:
        """Return the sources that cannot be played, and why. Of the one that plays, the failure before is over."""
        found = enumerate(self._states)
        return [(n, each.failure, each.error) for n, each in found if each.failure and n != self.playing]
