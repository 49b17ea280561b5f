"""The port `Reconciliations` over DynamoDB: nothing due is missed, nothing is lost."""

from dataclasses import replace

import pytest

from chalicelib.config import Settings
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.cut_offs import histograms
from chalicelib.domain.money.lease import Closing
from chalicelib.domain.money.reconciliation import (
    RECONCILE_AFTER_MS,
    DayTotals,
    Finding,
    SessionReconciliation,
    reconcile,
)
from chalicelib.domain.money.sessions import DUE_SHARDS
from chalicelib.domain.money.usage import Served
from chalicelib.domain.money.wallets import lease_entry
from chalicelib.ports.common import all_items
from chalicelib.ports.money.reconciliation import Due
from chalicelib.stores import Stores
from tests.contract.money.wallet_parts import NOW, payment, record_now, watching
from tests.fakes.money.sessions import session_record

SHARD = 3  # that of `record_of`
DUE_MS = NOW + RECONCILE_AFTER_MS
DAY = "2027-01-15"
RECORD = session_record(NOW, ended_at_ms=NOW, end_reason=EndReason.VIEWER_STOPPED, charged_millipoints=10_000)
LEASE = replace(lease_entry("", "stream-1", 1, NOW), delta_millipoints=-10_000)
MEDIA = Served(media_ms=12_000, media_bytes=4_000, segments=6, requests=9)
ROW = reconcile(replace(RECORD, refunded_millipoints=0, granted_ms=9_000), [LEASE], MEDIA, DUE_MS, measured=True)


@pytest.fixture
def money(module_settings: Settings) -> Stores:
    return Stores(module_settings)


def ended(stores: Stores, at_ms: int = NOW) -> str:
    user_id, session = watching(stores)
    settlement = Closing(refund_millipoints=0, watched_ms=10_000)
    stores.wallets.end(user_id, session, EndReason.VIEWER_STOPPED, settlement, at_ms)
    return session.session_id


def all_due(stores: Stores, now_ms: int, shard: int = SHARD) -> list[Due]:
    return list(all_items(stores.reconciliations.due, shard, now_ms, limit=100))


def a_row(session_id: str, **changes: object) -> SessionReconciliation:
    return replace(ROW, session_id=session_id, **changes)


def rows(stores: Stores, agrees: bool | None = None, day: str = DAY) -> list[SessionReconciliation]:
    return list(all_items(stores.reconciliations.rows, day, agrees=agrees, limit=5))


def test_a_session_is_due_a_while_after_its_end_and_settled_once(stores: Stores) -> None:
    watching(stores)
    session_id = ended(stores)
    assert all_due(stores, DUE_MS - 1) == []
    due = Due(session_id, DUE_MS)
    assert all_due(stores, DUE_MS) == [due]
    assert stores.reconciliations.settle(a_row(session_id), due, None)
    assert all_due(stores, DUE_MS) == []
    assert not stores.reconciliations.settle(a_row(session_id, media_ms=1), due, None)
    assert rows(stores) == [a_row(session_id)]
    record = stores.sessions.get(session_id)
    assert record and record.granted_ms == 10_000


def test_one_that_is_settled_for_now_is_due_again(stores: Stores) -> None:
    session_id = ended(stores)
    assert stores.reconciliations.settle(a_row(session_id), Due(session_id, DUE_MS), DUE_MS + 60_000)
    assert all_due(stores, DUE_MS + 59_999) == []
    assert all_due(stores, DUE_MS + 60_000) == [Due(session_id, DUE_MS + 60_000)]


def test_a_session_that_becomes_due_again_is_not_settled_by_old_data(stores: Stores) -> None:
    session_id = ended(stores)
    [seen] = all_due(stores, DUE_MS)
    assert stores.reconciliations.make_due(session_id, DUE_MS)
    assert not stores.reconciliations.settle(a_row(session_id, media_ms=1), seen, None)
    [due_again] = all_due(stores, DUE_MS + 1)
    assert stores.reconciliations.settle(a_row(session_id), due_again, None)
    assert stores.reconciliations.make_due(session_id, DUE_MS + 500)
    assert [each.session_id for shard in range(8) for each in all_due(stores, DUE_MS + 501, shard)] == [session_id]


def test_one_that_is_to_be_looked_at_anyway_is_not_looked_at_earlier(stores: Stores) -> None:
    """Its log has not arrived, but each change must be noticed, even several at the same moment."""
    session_id = ended(stores)
    for times in (1, 2):
        assert stores.reconciliations.make_due(session_id, NOW)
        assert all_due(stores, DUE_MS) == []
        assert all_due(stores, DUE_MS + 10) == [Due(session_id, DUE_MS + times)]


def test_an_adjustment_makes_its_session_due_in_the_same_write(stores: Stores) -> None:
    """A function that stops after the adjustment leaves no result without it."""
    session_id = ended(stores)
    record = record_now(stores, session_id)

    def adjust() -> None:
        given = replace(payment(record.user_id, 5), session_id=session_id, stream_id=record.stream_id)
        assert stores.wallets.pay(given, record)

    # While it is due, and after it was reconciled.
    adjust()
    assert not stores.reconciliations.settle(a_row(session_id), Due(session_id, DUE_MS), None)
    assert stores.reconciliations.settle(a_row(session_id), Due(session_id, DUE_MS + 1), None)
    adjust()
    assert [each for shard in range(DUE_SHARDS) for each in all_due(stores, NOW + 1, shard)] == [
        Due(session_id, NOW + 1)
    ]


def test_only_what_has_ended_becomes_due(stores: Stores) -> None:
    assert not stores.reconciliations.make_due(new_session_id(), NOW)
    _, active = watching(stores)
    assert not stores.reconciliations.make_due(active.session_id, NOW)
    assert stores.sessions.get(new_session_id()) is None


def test_many_are_found_page_by_page_while_they_are_settled(stores: Stores) -> None:
    sessions = [ended(stores, NOW + n) for n in range(25)]
    found: list[str] = []

    def settled(cursor: str | None) -> object:
        page = stores.reconciliations.due(SHARD, DUE_MS + 100, limit=10, cursor=cursor)
        for due in page.items:
            assert stores.reconciliations.settle(a_row(due.session_id), due, None)
            found.append(due.session_id)
        return page

    list(all_items(settled))
    assert found == sessions, "the longest due first, and none left out"
    assert all_due(stores, DUE_MS + 100) == []


def test_rows_are_listed_by_day_and_by_whether_they_agree(stores: Stores) -> None:
    wanted: dict[str, SessionReconciliation] = {}
    for n in range(12):
        session_id = ended(stores)
        row = a_row(session_id, paid_ms=None, drift_ms=None, drift_millipoints=None, reason=Finding.FREE)
        if n % 3 == 0:
            row = a_row(session_id, agrees=False, reason=Finding.PAID_NOT_SERVED)
        assert stores.reconciliations.settle(row, Due(session_id, DUE_MS), None)
        wanted[session_id] = row

    for agrees in (None, True, False):
        expected = {key: row for key, row in wanted.items() if agrees in (None, row.agrees)}
        found = rows(stores, agrees)
        assert {row.session_id: row for row in found} == expected and len(found) == len(expected)
    assert rows(stores, day="2027-01-16") == []


def test_a_row_that_comes_to_agree_leaves_the_disagreeing(stores: Stores) -> None:
    session_id = ended(stores)
    wrong = a_row(session_id, agrees=False, reason=Finding.PAID_NOT_SERVED)
    assert stores.reconciliations.settle(wrong, Due(session_id, DUE_MS), DUE_MS)
    assert stores.reconciliations.settle(replace(wrong, agrees=True, reason=Finding.OK), Due(session_id, DUE_MS), None)
    assert rows(stores, agrees=False) == []


def test_totals_are_kept_beside_the_rows(stores: Stores) -> None:
    assert stores.reconciliations.totals(DAY) is None
    for sessions in (1, 2):
        cut_offs = histograms([(NOW, EndReason.KICKED, 120), (NOW + 3_600_000, EndReason.STREAM_PAUSED, 0)])
        totals = DayTotals(day=DAY, sessions=sessions, drift_millipoints=-7, cut_offs=cut_offs, all_added_up=False)
        stores.reconciliations.put_totals(totals)
        assert stores.reconciliations.totals(DAY) == totals
    assert rows(stores) == []


def test_cut_offs_of_many_sessions_once_they_are_measured(stores: Stores) -> None:
    measured, unmeasured, later = ended(stores), ended(stores), ended(stores)
    for session_id, cut_off_ms, day in ((measured, 0, DAY), (unmeasured, None, DAY), (later, 70, "2027-01-16")):
        row = a_row(session_id, cut_off_ms=cut_off_ms, day=day)
        assert stores.reconciliations.settle(row, Due(session_id, DUE_MS), None)
    ends = [(DAY, measured), (DAY, unmeasured), ("2027-01-16", later), (DAY, new_session_id())]
    assert stores.reconciliations.cut_offs(ends) == {measured: 0, later: 70}
    assert stores.reconciliations.cut_offs([]) == {}
