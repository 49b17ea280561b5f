"""The ranges of money totals, and what a session or a payment adds."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.errors import Invalid
from chalicelib.domain.money.reconciliation import reconcile
from chalicelib.domain.money.totals import (
    NAMES,
    MoneyTotals,
    Step,
    days_of,
    totals_of_payment,
    totals_of_reversal,
    totals_of_session,
)
from chalicelib.domain.money.wallets import Entry, EntryKind, Payment
from tests.fakes.money.sessions import session_record

TODAY = "2026-03-02"
PAYMENT = Payment(payment_id="p", user_id="u", millipoints=5_000, note="", by_user_id="u", at_ms=0)


@pytest.mark.parametrize(
    ("step", "from_day", "to_day", "first", "last", "days"),
    [
        (Step.DAY, None, None, "2026-01-31", TODAY, 31),
        (Step.DAY, "2026-02-27", None, "2026-02-27", TODAY, 4),
        (Step.DAY, None, "2026-01-31", "2026-01-01", "2026-01-31", 31),
        (Step.DAY, "2024-02-29", "2024-02-29", "2024-02-29", "2024-02-29", 1),
        (Step.DAY, "2024-01-01", "2024-12-31", "2024-01-01", "2024-12-31", 366),
        (Step.MONTH, None, None, "2025-04-01", "2026-03-31", 365),
        (Step.MONTH, "2025-12-31", "2026-02-01", "2025-12-01", "2026-02-28", 90),
        (Step.MONTH, "2023-04-30", None, "2023-04-01", "2026-03-31", 1_096),
    ],
)
def test_a_range_has_whole_days_and_months(
    step: Step, from_day: str | None, to_day: str | None, first: str, last: str, days: int
) -> None:
    found = days_of(step, from_day, to_day, TODAY)
    assert (found[0], found[-1], len(found)) == (first, last, days)
    assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("step", "from_day", "to_day", "words"),
    [
        (Step.DAY, "2026-03-03", None, "after `to`, which is 2026-03-02"),
        (Step.DAY, "2024-12-31", "2026-01-01", "at most 366 days"),
        (Step.MONTH, "2023-03-31", None, "at most 36 months"),
        (Step.MONTH, "2026-04-01", None, "after `to`"),
    ],
)
def test_a_range_has_bounds(step: Step, from_day: str, to_day: str | None, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        days_of(step, from_day, to_day, TODAY)
    assert refused.value.extra["errors"][0]["field"] == "from"


def test_a_session_adds_all_its_lines() -> None:
    """One of each kind of line that a session has, with amounts that no others add up to."""
    amounts = {
        EntryKind.LEASE: -10_000_000,
        EntryKind.REFUND: 1_000,
        EntryKind.OUTAGE_CREDIT: 200,
        EntryKind.SERVED_AHEAD: -30_000,
        EntryKind.ADJUSTMENT: 4,
    }
    lines = [Entry(entry_id=kind, kind=kind, at_ms=0, delta_millipoints=delta) for kind, delta in amounts.items()]
    record = session_record(0, ended_at_ms=1, end_reason="kicked", debt_payment_millipoints=70)
    counted = totals_of_session(reconcile(record, lines, None, 2, measured=False))
    assert counted.sessions == 1
    assert counted.ledger_millipoints == sum(amounts.values()) - 70
    assert counted.net_millipoints == -sum(amounts.values())


def test_payments_and_reversals_add_what_the_wallet_got() -> None:
    removal = replace(PAYMENT, millipoints=-3_000)
    assert totals_of_payment(PAYMENT).ledger_millipoints == 5_000
    assert totals_of_payment(removal).ledger_millipoints == -3_000
    # An adjustment counts with its session.
    for adjustment in (PAYMENT, removal):
        assert totals_of_payment(replace(adjustment, session_id="s")) == MoneyTotals()
    taken = {"reversed_at_ms": 1, "reversed_millipoints": 2_000, "shortfall_millipoints": 3_000}
    reversal = totals_of_reversal(replace(PAYMENT, **taken))
    assert (reversal.ledger_millipoints, reversal.shortfall_millipoints) == (-2_000, 3_000)


def test_sums_and_differences_have_every_field() -> None:
    one: dict[str, Any] = {name: n for n, name in enumerate(NAMES, 1)}
    totals = MoneyTotals(**one)
    assert totals.plus(totals) == MoneyTotals(**{name: 2 * n for name, n in one.items()})
    assert totals.minus(totals) == MoneyTotals()
