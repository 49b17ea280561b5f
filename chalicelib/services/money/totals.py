"""Money totals by day and month."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.money.totals import MoneyTotals, Period, Step, days_of, period_of
from chalicelib.domain.money.usage import day_of
from chalicelib.ports.common import Clock
from chalicelib.ports.money.totals import TotalsByDay


@dataclass(frozen=True, kw_only=True)
class TotalsOfRange:
    """The totals of each period of a range of UTC days, oldest first, also of those without money, and their sum."""

    from_day: str
    to_day: str
    today: str
    periods: Sequence[Period]
    total: MoneyTotals


class TotalsService:
    """Reads totals. What writes them is described at the port."""

    def __init__(self, totals: TotalsByDay, clock: Clock) -> None:
        self._totals = totals
        self._clock = clock

    def of_range(self, step: Step, from_day: str | None, to_day: str | None) -> TotalsOfRange:
        """Return the totals by day or month: one read a month. Raise `Invalid` for a range that is not allowed."""
        today = day_of(self._clock.now_ms())
        days = days_of(step, from_day, to_day, today)
        found: dict[str, MoneyTotals] = {}
        for month in dict.fromkeys(period_of(Step.MONTH, day) for day in days):
            found |= self._totals.of_month(month)
        sums: dict[str, MoneyTotals] = {}
        for day in days:
            period = period_of(step, day)
            sums[period] = sums.get(period, MoneyTotals()).plus(found.get(day, MoneyTotals()))
        total = MoneyTotals()
        for each in sums.values():
            total = total.plus(each)
        periods = [Period(period=period, totals=totals) for period, totals in sums.items()]
        return TotalsOfRange(from_day=days[0], to_day=days[-1], today=today, periods=periods, total=total)
