"""Runs of the canary: a synthetic viewer that uses the platform as viewers do, and reports each step."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.errors import Invalid

STEP_MS_MAX = 600_000
KEPT_DAYS = 30


class CanaryStep(StrEnum):
    """The steps of a run, in their order. A run ends at the first one that fails.

    `pay` is the heartbeat that buys the second lease, `cut_off` the time from the kick's answer to the first refused
    segment, `bill` compares session, ledger and balance with what was paid.
    """

    LOGIN = "login"
    STREAM = "stream"
    START = "start"
    PLAYLIST = "playlist"
    SEGMENT = "segment"
    PAY = "pay"
    KICK = "kick"
    CUT_OFF = "cut_off"
    BILL = "bill"


STEPS = tuple(CanaryStep)


@dataclass(frozen=True, kw_only=True)
class CanaryRun:
    """A run: how long each step took in ms, and why the last one failed (None: all steps worked)."""

    at_ms: int
    steps_ms: Sequence[int]
    failure: str | None

    @property
    def is_ok(self) -> bool:
        """Whether all steps worked."""
        return self.failure is None

    @property
    def steps(self) -> Sequence[tuple[CanaryStep, int, bool]]:
        """Each step that was tried, its ms, and whether it worked."""
        last = len(self.steps_ms) - 1
        return [(STEPS[n], ms, self.is_ok or n < last) for n, ms in enumerate(self.steps_ms)]

    @property
    def failed_step(self) -> CanaryStep | None:
        """The step that failed."""
        return None if self.is_ok else STEPS[len(self.steps_ms) - 1]


def new_run(at_ms: int, steps_ms: Sequence[int], failure: str | None) -> CanaryRun:
    """Return a run. Raise `Invalid` if it has not all steps although none failed."""
    if failure is None and len(steps_ms) < len(STEPS):
        raise Invalid.field("failure", f"is needed: of the {len(STEPS)} steps, the run has {len(steps_ms)}")
    return CanaryRun(at_ms=at_ms, steps_ms=tuple(steps_ms), failure=failure)
