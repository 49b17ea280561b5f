"""Waiting for points, for `player play --wait`: it looks at the wallet about once a second, and buys nothing."""

import random
import time
from dataclasses import dataclass
from typing import TypeGuard

from player.endings import Ending, refused
from player.errors import CliError, UnreachableError
from player.http.client import ProblemError
from player.session.playback_api import Funds, PlaybackApi
from player.session.start_errors import ending_of_refused_start

# A credit is seen within this time, and the picture is there half a second later (measured).
LOOK_S, LOOK_S_MAX = 0.75, 8.0
# How often account and stream are looked at. Only these requests show that either was switched off.
CHECK_S = 5.0
TIMEOUT_S = 4.0
# The refusals of a start that are over once points have come; and those that a wait outlasts.
SHORT_OF_POINTS = ("balance_exhausted", "debt_open")
PASSING = ("stream_not_live", "too_many_requests")
_ENDED_STREAMS = {"paused": "stream_paused", "stopped": "stream_stopped"}


@dataclass(frozen=True)
class Waiting:
    """A wait for points that is going on. `ends_at` is a time of the monotonic clock.

    `is_over` says that the points have come, `is_reachable` whether the server answered the last request.
    """

    ends_at: float
    funds: Funds
    is_over: bool = False
    is_reachable: bool = True

    @property
    def is_refused(self) -> bool:
        """Whether there are points, but the start was refused and is tried again."""
        return self.funds.covers_debt and not self.is_over


class TopUpWait:
    """One wait for points. It ends at `ends_at`; the next look is due at `due_at`, both of the monotonic clock."""

    def __init__(self, api: PlaybackApi, stream_id: str, wait_s: float, funds: Funds) -> None:
        self._api, self._stream_id = api, stream_id
        now = time.monotonic()
        self.ends_at, self._check_at = now + wait_s, now + CHECK_S
        self._funds = funds
        self._failures = self._refusals = 0
        self._refusal: ProblemError | None = None
        self._start_at = now
        self.due_at = min(now + LOOK_S, self.ends_at)

    @property
    def state(self) -> Waiting:
        """The wait as the viewer is shown it."""
        is_over = self._funds.covers_debt and time.monotonic() >= self._start_at
        return Waiting(self.ends_at, self._funds, is_over, not self._failures)

    def look(self) -> Ending | None:
        """Look at the wallet and, every few seconds without points, at account and stream. Takes 12 s at most.

        Return an ending if the time is over, or if points would not help.
        """
        try:
            self._funds = self._api.funds(TIMEOUT_S)
            # Not if a start comes next: it checks the same, and the viewer waits for it.
            if not self.state.is_over and time.monotonic() >= self._check_at and (ending := self._check()):
                return ending
        except UnreachableError as error:
            self._postpone(error.retry_after_s)
        except ProblemError as problem:
            if problem.status != 429:
                return refused(problem.format_message())
            self._postpone(problem.retry_after_s)
        except CliError as error:  # the login is missing or expired
            return refused(error.format_message())
        else:
            self._failures = 0
            self.due_at = min(time.monotonic() + LOOK_S, self.ends_at)
        if time.monotonic() < self.ends_at or self.state.is_over:
            return None
        if self._refusal is not None and self._funds.covers_debt:
            return ending_of_refused_start(self._refusal)
        return Ending.of_reason("balance_exhausted")

    def refuse(self, problem: ProblemError) -> None:
        """Go on waiting after a start was refused. The next one is later each time."""
        if problem.code in SHORT_OF_POINTS:
            self._funds = Funds.from_fields(problem.fields)
        now = time.monotonic()
        self._check_at = now  # the stream may have stopped
        self._start_at = now + _backoff_s(self._refusals, problem.retry_after_s)
        self._refusals += 1
        self._refusal = problem
        self.due_at = min(now + LOOK_S, self.ends_at)

    def _postpone(self, retry_after_s: float | None) -> None:
        """Make the next look later after each failure."""
        self.due_at = min(time.monotonic() + _backoff_s(self._failures, retry_after_s), self.ends_at)
        self._failures += 1

    def _check(self) -> Ending | None:
        """Return an ending if the operator ended the stream. Raise ProblemError for a disabled account."""
        self._api.check_account(TIMEOUT_S)
        try:
            stream = self._api.stream(self._stream_id, TIMEOUT_S)
        except ProblemError as problem:
            if problem.status != 404:
                raise
            return Ending.of_reason("stream_stopped")
        self._check_at = time.monotonic() + CHECK_S
        reason = _ENDED_STREAMS.get(str(stream.get("desired_state")))
        return Ending.of_reason(reason) if reason else None


def is_worth_waiting(error: CliError, wait: TopUpWait | None) -> TypeGuard[ProblemError]:
    """Return whether to wait after a start was refused. A wait that is going on also outlasts a stream's failure."""
    if not isinstance(error, ProblemError) or (wait is not None and time.monotonic() >= wait.ends_at):
        return False
    return error.code in SHORT_OF_POINTS or (wait is not None and error.code in PASSING)


def _backoff_s(failures: int, retry_after_s: float | None) -> float:
    backoff_s: float = min(LOOK_S * 2**failures, LOOK_S_MAX) * random.uniform(0.75, 1.0)
    return max(backoff_s, retry_after_s or 0.0)
