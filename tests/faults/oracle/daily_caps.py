"""What a daily cap may leave, written a second time from docs/billing.md.

A wallet's day begins by whichever function finds it first, and a ledger has no line of that. So a ledger allows more
than one state of the day: all that the clocks of two functions may have made of it are followed, and each line that was
sold rules out those that it does not fit.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.harness.environment import DAY_MS, LATE_MS, SKEW_MS


@dataclass(frozen=True)
class Day:
    """The day that a wallet counts, and what its cap leaves of it."""

    number: int
    left: int


class Days:
    """All days that a wallet may be in."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self.possible = {Day(0, cap)}

    def begun(self, at_ms: int) -> set[Day]:
        """The possible days at a moment that some function's clock says: a new one may have begun by another's, or
        before what was sent at that moment arrived."""
        number = (at_ms + LATE_MS + 2 * SKEW_MS) // DAY_MS
        earlier = {day for day in self.possible if day.number < number}
        # The clocks may be on both sides of a midnight.
        begun = {Day(each, self._cap) for day in earlier for each in {at_ms // DAY_MS, number} if each > day.number}
        return self.possible | begun

    def sold(self, at_ms: int, charge: int, fits: Callable[[int], bool]) -> bool:
        """A lease was sold for so much; whether there is a possible day of which `fits` takes what is left."""
        days = {day for day in self.begun(at_ms) if not charge or day.number >= at_ms // DAY_MS}
        fitting = {day for day in days if fits(day.left)}
        self.possible = {Day(day.number, day.left - charge) for day in fitting or days}
        return bool(fitting)

    def given_back(self, at_ms: int, millipoints: int) -> None:
        """What is given back on a day is not spent on it."""
        self.possible = {Day(day.number, day.left + millipoints) for day in self.begun(at_ms)}
