"""Which of a stream's sources is played: pure rules, the time handed in as monotonic seconds.

Sources are known by their place: 0 is the one that the operator prefers, the others are its backups in their order.
While nothing is played they are opened one after the other, the next as soon as the one before has failed or lets
itself be waited for. While a backup is played those before it are opened now and then, beside it; one that has
answered twice in a row is played again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from worker.ingest.backoff import Backoff

# So long a source may take to open before the next one is opened as well.
PATIENCE_S = 3.0
# Twice in a row is twice with this between.
ANSWER_INTERVAL_S = 3.0
ANSWERS_TO_RETURN = 2
# While another one is played, a failed source is given so many times longer before it is tried again.
WATCH_FACTOR = 25
# A source that cannot be used as it is, or to which nobody sends, is looked at again this often.
REFUSED_DELAY_S = 5.0
WAIT_DELAY_S = 0.5
# How long nothing is played before the slate is shown: what comes back by itself at once is no reason for it.
SLATE_AFTER_S = 2.0


class Failure(Enum):
    """Why a source is not played: it broke, it cannot be used as it is, or nobody sends to it yet."""

    BROKEN = "broken"
    REFUSED = "refused"
    WAITING = "waiting"


@dataclass
class _SourceState:
    """What is known of one source."""

    backoff: Backoff
    # Why it is not played, or was not until lately.
    failure: Failure | None = None
    error: str = ""
    open: bool = False
    ready: bool = False
    # Since it was ready last: whether it has failed, and since when it has been awaited.
    failed: bool = False
    awaited_since_s: float | None = None
    answers: int = 0
    answered_at_s: float = 0.0
    retry_at_s: float = 0.0
    return_at_s: float = 0.0

    def await_from(self, now_s: float) -> None:
        """It is not ready, from now on if not for longer."""
        self.awaited_since_s = now_s if self.awaited_since_s is None else self.awaited_since_s

    def is_given_up(self, now_s: float) -> bool:
        """Whether it is time to open the next one as well."""
        if self.ready or now_s < self.retry_at_s:
            return now_s < self.retry_at_s
        return self.failed or (self.awaited_since_s is not None and now_s - self.awaited_since_s >= PATIENCE_S)


@dataclass
class Failover:
    """Its owner tells it how the sources do, and asks it which to open and which to play."""

    count: int
    new_backoff: Callable[[], Backoff] = Backoff
    # What is played: a source's place, or None while there is nothing, or the slate.
    playing: int | None = None
    idle_since_s: float = 0.0
    _states: list[_SourceState] = field(init=False)

    def __post_init__(self) -> None:
        self._states = [_SourceState(self.new_backoff()) for _ in range(self.count)]

    def sources_to_open(self, now_s: float) -> list[int]:
        """The sources that should be open now, the one that is played among them."""
        found: list[int] = []
        for index, each in enumerate(self._states):
            if index == self.playing:
                return [*found, index]
            watched = self.playing is not None
            if each.open or now_s >= (each.return_at_s if watched else each.retry_at_s):
                found.append(index)
            if not watched and not each.is_given_up(now_s):
                break
        return found

    def record_opened(self, index: int, now_s: float) -> None:
        """It is being opened."""
        each = self._states[index]
        each.open = True
        each.await_from(now_s)

    def closed(self, index: int) -> None:
        """It is open no more."""
        each = self._states[index]
        each.open, each.ready, each.answers, each.awaited_since_s = False, False, 0, None

    def record_answer(self, index: int, now_s: float) -> None:
        """It could be played: picture comes from it just now."""
        each = self._states[index]
        each.ready, each.failed, each.awaited_since_s = True, False, None
        if each.failure is Failure.WAITING:
            each.failure, each.error = None, ""
        if each.answers == 0 or now_s - each.answered_at_s >= ANSWER_INTERVAL_S:
            each.answers += 1
            each.answered_at_s = now_s

    def record_waiting(self, index: int, now_s: float, reason: str) -> None:
        """It is open, and nothing comes from it, which is nobody's fault."""
        each = self._states[index]
        each.ready, each.answers = False, 0
        each.await_from(now_s)
        each.failure, each.error = Failure.WAITING, reason

    def record_playing(self, index: int | None, now_s: float) -> None:
        """It is played now; None: the slate is."""
        self.playing, self.idle_since_s = index, now_s

    def failed(self, index: int, now_s: float, error: str, failure: Failure = Failure.BROKEN) -> None:
        """It could not be opened, or its run has ended."""
        each = self._states[index]
        each.failure, each.error, each.failed, each.answers = failure, error, True, 0
        delay_s = {Failure.REFUSED: REFUSED_DELAY_S, Failure.WAITING: WAIT_DELAY_S}.get(failure)
        if delay_s is None:
            delay_s = each.backoff.next_delay_s()
        each.retry_at_s = now_s + delay_s
        each.return_at_s = now_s + (delay_s * WATCH_FACTOR if failure is Failure.BROKEN else delay_s)
        if self.playing == index:
            self.playing, self.idle_since_s = None, now_s

    def record_stable(self, index: int) -> None:
        """It was played well for minutes."""
        each = self._states[index]
        each.backoff.reset()
        each.failure, each.error = None, ""

    def pick(self, now_s: float) -> int | None:
        """The source to play while nothing is played, or the slate; None if none can be."""
        ready = (n for n, each in enumerate(self._states) if each.ready and now_s >= each.retry_at_s)
        return next(ready, None)

    def pick_better(self, now_s: float) -> int | None:
        """The source to go back to from the one that is played; None if there is none that can be trusted."""
        before = self._states[: self.playing]
        good = (n for n, s in enumerate(before) if s.answers >= ANSWERS_TO_RETURN and now_s >= s.return_at_s)
        return next(good, None)

    def is_exhausted(self, now_s: float) -> bool:
        """Whether no source can be played, nor soon will be: the time for the slate."""
        idle = self.playing is None and now_s - self.idle_since_s >= SLATE_AFTER_S
        return idle and self.pick(now_s) is None and all(each.is_given_up(now_s) for each in self._states)

    def troubles(self) -> list[tuple[int, Failure, str]]:
        """What hinders the sources that are hindered: their places, and why."""
        return [(n, each.failure, each.error) for n, each in enumerate(self._states) if each.failure]
