"""The port `Reconciliations`: the fake and DynamoDB keep the same promises; nothing due is missed, nothing is lost."""

from dataclasses import dataclass, replace

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.cut_offs import histograms
from chalicelib.domain.money.lease import Settlement
from chalicelib.domain.money.reconciliation import RECONCILE_AFTER_MS, DayTotals, Finding, SessionReconciliation
from chalicelib.ports.reconciliation import Due, Reconciliations
from tests.contract.conftest import MoneyStores
from tests.contract.money.wallet_parts import NOW, funded, started
from tests.fakes.money.ledger import MemoryLedger, MemoryPayments
from tests.fakes.money.reconciliation import MemoryReconciliations
from tests.fakes.money.sessions import MemoryPlaybackSessions
from tests.fakes.money.wallets import MemoryStore, MemoryWallets

SHARD = 3  # that of `record_of`
DUE_MS = NOW + RECONCILE_AFTER_MS


@dataclass(frozen=True)
class Parts:
    money: MoneyStores
    table: Reconciliations


@pytest.fixture(params=["memory", "dynamodb"])
def parts(request: pytest.FixtureRequest) -> Parts:
    if request.param == "memory":
        store = MemoryStore()
        money = MoneyStores(
            MemoryWallets(store), MemoryLedger(store), MemoryPayments(store), MemoryPlaybackSessions(store)
        )
        return Parts(money, MemoryReconciliations(store))
    from chalicelib.adapters.money.dynamodb_ledger import DynamoLedger, DynamoPayments
    from chalicelib.adapters.money.dynamodb_reconciliation import DynamoReconciliations
    from chalicelib.adapters.money.dynamodb_sessions import DynamoPlaybackSessions
    from chalicelib.adapters.money.dynamodb_wallets import DynamoWallets

    prefix = request.getfixturevalue("settings").table_prefix
    money = MoneyStores(
        DynamoWallets(prefix), DynamoLedger(prefix), DynamoPayments(prefix), DynamoPlaybackSessions(prefix)
    )
    return Parts(money, DynamoReconciliations(prefix))


def ended(parts: Parts, at_ms: int = NOW) -> str:
    user_id = funded(parts.money, 100_000)
    session = started(parts.money, user_id)
    settlement = Settlement(refund_millipoints=0, watched_ms=10_000)
    parts.money.wallets.end(user_id, session, EndReason.VIEWER_STOPPED, settlement, at_ms)
    return session.session_id


def all_due(parts: Parts, now_ms: int, limit: int = 100) -> list[Due]:
    found: list[Due] = []
    cursor = None
    while True:
        page = parts.table.due(SHARD, now_ms, limit=limit, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def a_row(session_id: str, **changes: object) -> SessionReconciliation:
    values: dict[str, object] = {
        "day": "2027-01-15",
        "session_id": session_id,
        "user_id": "u_" + "a" * 20,
        "stream_id": "stream-1",
        "ended_at_ms": NOW,
        "end_reason": EndReason.VIEWER_STOPPED,
        "rate_millipoints_per_minute": 60_000,
        "lease_millipoints": 10_000,
        "refund_millipoints": 0,
        "outage_credit_millipoints": 0,
        "adjustment_millipoints": -5,
        "net_millipoints": 10_005,
        "leases": 1,
        "granted_ms": 10_000,
        "media_ms": 12_000,
        "media_bytes": 4_000,
        "paid_ms": 10_005,
        "drift_ms": 1_995,
        "drift_millipoints": 1_995,
        "cut_off_ms": None,
        "agrees": True,
        "reason": Finding.OK,
        "reconciled_at_ms": DUE_MS,
    }
    return SessionReconciliation(**{**values, **changes})  # type: ignore[arg-type]


def test_a_session_is_due_a_while_after_its_end_and_settled_once(parts: Parts) -> None:
    user_id = funded(parts.money, 100_000)
    started(parts.money, user_id)
    session_id = ended(parts)
    assert all_due(parts, DUE_MS - 1) == []
    due = Due(session_id, DUE_MS)
    assert all_due(parts, DUE_MS) == [due]
    assert parts.table.settle(a_row(session_id), due, None)
    assert all_due(parts, DUE_MS) == []
    assert not parts.table.settle(a_row(session_id, media_ms=1), due, None)
    assert parts.table.rows("2027-01-15", agrees=None, limit=10, cursor=None).items == [a_row(session_id)]
    record = parts.money.sessions.get(session_id)
    assert record and record.granted_ms == 10_000


def test_one_that_is_settled_for_now_is_due_again(parts: Parts) -> None:
    session_id = ended(parts)
    assert parts.table.settle(a_row(session_id), Due(session_id, DUE_MS), DUE_MS + 60_000)
    assert all_due(parts, DUE_MS + 59_999) == []
    assert all_due(parts, DUE_MS + 60_000) == [Due(session_id, DUE_MS + 60_000)]


def test_a_session_that_becomes_due_again_is_not_settled_by_old_data(parts: Parts) -> None:
    session_id = ended(parts)
    [seen] = all_due(parts, DUE_MS)
    assert parts.table.make_due(session_id, DUE_MS)
    assert not parts.table.settle(a_row(session_id, media_ms=1), seen, None)
    [due_again] = all_due(parts, DUE_MS + 1)
    assert parts.table.settle(a_row(session_id), due_again, None)
    assert parts.table.make_due(session_id, DUE_MS + 500)
    assert [
        each.session_id
        for shard in range(8)
        for each in parts.table.due(shard, DUE_MS + 501, limit=10, cursor=None).items
    ] == [session_id]


def test_one_that_is_to_be_looked_at_anyway_is_not_looked_at_earlier(parts: Parts) -> None:
    """Its log has not arrived, but each change must be noticed, even several at the same moment."""
    session_id = ended(parts)
    for times in (1, 2):
        assert parts.table.make_due(session_id, NOW)
        assert all_due(parts, DUE_MS) == []
        assert all_due(parts, DUE_MS + 10) == [Due(session_id, DUE_MS + times)]


def test_only_what_has_ended_becomes_due(parts: Parts) -> None:
    assert not parts.table.make_due(new_session_id(), NOW)
    active = started(parts.money, funded(parts.money, 100_000))
    assert not parts.table.make_due(active.session_id, NOW)
    assert parts.money.sessions.get(new_session_id()) is None


def test_many_are_found_page_by_page_while_they_are_settled(parts: Parts) -> None:
    sessions = [ended(parts, NOW + n) for n in range(25)]
    found: list[str] = []
    cursor = None
    while True:
        page = parts.table.due(SHARD, DUE_MS + 100, limit=10, cursor=cursor)
        for due in page.items:
            assert parts.table.settle(a_row(due.session_id), due, None)
            found.append(due.session_id)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == sessions, "the longest due first, and none left out"
    assert all_due(parts, DUE_MS + 100) == []


def test_rows_are_listed_by_day_and_by_whether_they_agree(parts: Parts) -> None:
    wanted: dict[str, SessionReconciliation] = {}
    for n in range(12):
        session_id = ended(parts)
        row = a_row(session_id, paid_ms=None, drift_ms=None, drift_millipoints=None, reason=Finding.FREE)
        if n % 3 == 0:
            row = a_row(session_id, agrees=False, reason=Finding.PAID_NOT_SERVED)
        assert parts.table.settle(row, Due(session_id, DUE_MS), None)
        wanted[session_id] = row

    def listed(agrees: bool | None) -> dict[str, SessionReconciliation]:
        found: dict[str, SessionReconciliation] = {}
        cursor = None
        while True:
            page = parts.table.rows("2027-01-15", agrees=agrees, limit=5, cursor=cursor)
            found |= {row.session_id: row for row in page.items}
            cursor = page.next_cursor
            if cursor is None:
                return found

    assert listed(None) == wanted
    for agrees in (True, False):
        assert listed(agrees) == {key: row for key, row in wanted.items() if row.agrees is agrees}
    assert parts.table.rows("2027-01-16", agrees=None, limit=5, cursor=None).items == []


def test_a_row_that_comes_to_agree_leaves_the_disagreeing(parts: Parts) -> None:
    session_id = ended(parts)
    wrong = a_row(session_id, agrees=False, reason=Finding.PAID_NOT_SERVED)
    assert parts.table.settle(wrong, Due(session_id, DUE_MS), DUE_MS)
    assert parts.table.settle(replace(wrong, agrees=True, reason=Finding.OK), Due(session_id, DUE_MS), None)
    assert parts.table.rows("2027-01-15", agrees=False, limit=5, cursor=None).items == []


def test_totals_are_kept_beside_the_rows(parts: Parts) -> None:
    assert parts.table.totals("2027-01-15") is None
    for sessions in (1, 2):
        cut_offs = histograms([(NOW, EndReason.KICKED, 120), (NOW + 3_600_000, EndReason.STREAM_PAUSED, 0)])
        totals = DayTotals(
            day="2027-01-15", sessions=sessions, drift_millipoints=-7, cut_offs=cut_offs, all_added_up=False
        )
        parts.table.put_totals(totals)
        assert parts.table.totals("2027-01-15") == totals
    assert parts.table.rows("2027-01-15", agrees=None, limit=5, cursor=None).items == []
