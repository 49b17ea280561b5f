"""The money totals of days."""

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.money.totals import MoneyTotals


class TotalsByDay(Protocol):
    """Totals that `Wallets.pay`, `Wallets.reverse` and `Reconciliations.settle` change in their own transactions."""

    def of_month(self, month: str) -> Mapping[str, MoneyTotals]:
        """Return the totals of each UTC day of a month, `YYYY-MM`, that has any, by a consistent read."""
