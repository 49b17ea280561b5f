"""Money totals: what sessions cost and what payments moved, by UTC day. Their sum is that of the ledgers.

Each line of a ledger belongs to a session (lease, refund, credit, settlement, adjustment, the debt that its start paid)
or to a payment (credit, removal, reversal). A session counts on the day of its end, a payment and a reversal on theirs.
Ledgers of synthetic viewers are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum

from chalicelib.domain.errors import Invalid
from chalicelib.domain.ids import is_canary
from chalicelib.domain.money.reconciliation import SessionReconciliation
from chalicelib.domain.money.wallets import Payment

DAYS_MAX, MONTHS_MAX = 366, 36
DAYS_DEFAULT, MONTHS_DEFAULT = 31, 12
MONTHS_PER_YEAR = 12


class Step(StrEnum):
    """The length of a period."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True)
class MoneyTotals:
    """Sums in millipoints. Amounts of sessions are as in `SessionReconciliation`.

    `debt` is what settlements could not take from balances, outside all ledgers; `debt_payment` is what starts paid of
    it. `removal` is what operators took out of wallets, `shortfall` what reversals found no longer there.
    """

    sessions: int = 0
    lease_millipoints: int = 0
    refund_millipoints: int = 0
    outage_credit_millipoints: int = 0
    served_ahead_millipoints: int = 0
    unserved_credit_millipoints: int = 0
    adjustment_millipoints: int = 0
    debt_millipoints: int = 0
    debt_payment_millipoints: int = 0
    payments: int = 0
    credit_millipoints: int = 0
    removal_millipoints: int = 0
    reversals: int = 0
    reversal_millipoints: int = 0
    shortfall_millipoints: int = 0

    @property
    def net_millipoints(self) -> int:
        """What the sessions cost: leases minus what came back, and their settlements."""
        returned = self.refund_millipoints + self.outage_credit_millipoints + self.adjustment_millipoints
        settled = self.served_ahead_millipoints - self.unserved_credit_millipoints
        return self.lease_millipoints - returned + settled

    @property
    def ledger_millipoints(self) -> int:
        """The sum of the ledgers' lines, positive if wallets got more than they paid."""
        paid_in = self.credit_millipoints - self.removal_millipoints - self.reversal_millipoints
        return paid_in - self.net_millipoints - self.debt_payment_millipoints

    def plus(self, other: MoneyTotals) -> MoneyTotals:
        """Return the sum of both."""
        return MoneyTotals(**{name: getattr(self, name) + getattr(other, name) for name in NAMES})

    def minus(self, other: MoneyTotals) -> MoneyTotals:
        """Return what has to be added to `other` for this one."""
        return MoneyTotals(**{name: getattr(self, name) - getattr(other, name) for name in NAMES})


NAMES = tuple(each.name for each in fields(MoneyTotals))
# The amounts that a session's reconciliation has under the same name.
OF_SESSION = tuple(name for name in NAMES if name in SessionReconciliation.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True)
class Period:
    """The totals of a UTC day (`YYYY-MM-DD`) or month (`YYYY-MM`)."""

    period: str
    totals: MoneyTotals


def totals_of_session(row: SessionReconciliation) -> MoneyTotals:
    """Return what a reconciled session adds to the totals of its day."""
    if is_canary(row.user_id):
        return MoneyTotals()
    return MoneyTotals(sessions=1, **{name: getattr(row, name) for name in OF_SESSION})


def totals_of_payment(payment: Payment) -> MoneyTotals:
    """Return what a payment adds to the totals of its day: nothing if it adjusts a session, which counts it."""
    if payment.session_id is not None or is_canary(payment.user_id):
        return MoneyTotals()
    amount = payment.millipoints
    return MoneyTotals(payments=1, credit_millipoints=max(0, amount), removal_millipoints=max(0, -amount))


def totals_of_reversal(payment: Payment) -> MoneyTotals:
    """Return what the reversal of a payment adds to the totals of the day of the reversal."""
    if is_canary(payment.user_id):
        return MoneyTotals()
    return MoneyTotals(
        reversals=1,
        reversal_millipoints=payment.reversed_millipoints or 0,
        shortfall_millipoints=payment.shortfall_millipoints or 0,
    )


def days_of(step: Step, from_day: str | None, to_day: str | None, today: str) -> list[str]:
    """Return the UTC days of a request, oldest first. By month, the first and the last month are whole.

    Without `to_day` the days end today, without `from_day` they are the last 31 days or 12 months. Raise `Invalid` if
    they are more than `DAYS_MAX` or `MONTHS_MAX`, or none.
    """
    last = date.fromisoformat(to_day or today)
    if step is Step.DAY:
        first = date.fromisoformat(from_day) if from_day else last - timedelta(days=DAYS_DEFAULT - 1)
        number, most, unit = (last - first).days + 1, DAYS_MAX, "days"
    else:
        last = _month_start(last, 1) - timedelta(days=1)
        first = _month_start(date.fromisoformat(from_day) if from_day else last, 0 if from_day else 1 - MONTHS_DEFAULT)
        months = (last.year - first.year) * MONTHS_PER_YEAR + last.month - first.month
        number, most, unit = months + 1, MONTHS_MAX, "months"
    if number < 1:
        raise Invalid.field("from", f"must not be after `to`, which is {last}")
    if number > most:
        raise Invalid.field("from", f"must be at most {most} {unit} before `to`; this is {number} {unit}")
    return [str(first + timedelta(days=n)) for n in range((last - first).days + 1)]


def period_of(step: Step, day: str) -> str:
    """Return the period that a day belongs to."""
    return day if step is Step.DAY else day[: len("2026-01")]


def _month_start(day: date, months: int) -> date:
    """Return the first day of the month that is `months` after a day's."""
    number = day.year * MONTHS_PER_YEAR + day.month - 1 + months
    return date(number // MONTHS_PER_YEAR, number % MONTHS_PER_YEAR + 1, 1)
