"""The rules of the daily cap, written a second time from docs/billing.md.

The first function that sees a new day starts it, and the ledger has no line for that. So several states of the day are
possible, as the clocks of two functions may differ. `Days` keeps all of them, and each sale rules some out.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.harness.environment import DAY_MS, DELAY_MS_MAX, SKEW_MS


@dataclass(frozen=True)
class Day:
    """The day of a wallet, and the rest of its cap."""

    number: int
    left: int


class Days:
    """The possible days of a wallet."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self.possible = {Day(0, cap)}

    def begun(self, at_ms: int) -> set[Day]:
        """Return the possible days at the time of a function. The clock of another one may have started a new day."""
        number = (at_ms + DELAY_MS_MAX + 2 * SKEW_MS) // DAY_MS
        earlier = {day for day in self.possible if day.number < number}
        # The clocks may be on different sides of a midnight.
        begun = {Day(each, self._cap) for day in earlier for each in {at_ms // DAY_MS, number} if each > day.number}
        return self.possible | begun

    def sold(self, at_ms: int, charge: int, fits: Callable[[int], bool]) -> bool:
        """Record a sale. Returns whether `fits` accepts the rest of the cap on some possible day."""
        days = {day for day in self.begun(at_ms) if not charge or day.number >= at_ms // DAY_MS}
        fitting = {day for day in days if fits(day.left)}
        self.possible = {Day(day.number, day.left - charge) for day in fitting or days}
        return bool(fitting)

    def given_back(self, at_ms: int, millipoints: int) -> None:
        """Record a refund, which raises the rest of the cap."""
        self.possible = {Day(day.number, day.left + millipoints) for day in self.begun(at_ms)}
