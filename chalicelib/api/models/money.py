"""Money totals of the stage."""

from __future__ import annotations

from pydantic import Field

from chalicelib.api.models.common import Answer, Request
from chalicelib.api.models.forms import Day
from chalicelib.domain.money.totals import DAYS_MAX, MONTHS_MAX, Step


class TotalsQuery(Request):
    """A range of UTC days, both included, by day or month. By month, the first and the last month are whole."""

    by: Step = Step.DAY
    from_day: Day | None = Field(
        default=None,
        alias="from",
        description=f"at most {DAYS_MAX} days or {MONTHS_MAX} months before `to`; by default the last 31 days or 12"
        " months",
    )
    to_day: Day | None = Field(default=None, alias="to", description="by default today")


class TotalsItem(Answer):
    """Sums in millipoints, without synthetic viewers. Sessions count on the day of their end, payments and reversals
    on theirs.

    `net` is what the sessions cost: lease - refund - outage_credit - adjustment + served_ahead - unserved_credit.
    `ledger` is the sum of the ledgers' lines: credit - removal - reversal - net - debt_payment. `debt` is what
    settlements could not take from balances, and `shortfall` what reversals found no longer there; both are outside.
    """

    sessions: int
    lease_millipoints: int
    refund_millipoints: int
    outage_credit_millipoints: int
    served_ahead_millipoints: int
    unserved_credit_millipoints: int
    adjustment_millipoints: int
    net_millipoints: int
    debt_millipoints: int
    debt_payment_millipoints: int
    payments: int
    credit_millipoints: int
    removal_millipoints: int
    reversals: int
    reversal_millipoints: int
    shortfall_millipoints: int
    ledger_millipoints: int


class PeriodItem(TotalsItem):
    """The sums of a UTC day (`YYYY-MM-DD`) or month (`YYYY-MM`). `is_over` says whether it has passed."""

    period: str
    is_over: bool = Field(
        description="Whether the period is over. Until then the sums grow. Later they change only by its last sessions,"
        " which are counted some minutes after their end, by their settlements and by adjustments."
    )


class TotalsAnswer(Answer):
    """The sums of each period, oldest first, also of those without any money, and of the whole range."""

    by: Step
    from_day: str
    to_day: str
    periods: list[PeriodItem]
    total: TotalsItem
