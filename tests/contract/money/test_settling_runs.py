"""Runs of the schedule that settles sessions: when a session is settled, and what else may happen meanwhile."""

from functools import partial
from typing import Any

import pytest

from chalicelib.config import Settings
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.errors import AdjustmentOutOfBounds
from chalicelib.domain.money.measuring import GIVE_UP_MS, LOG_ARRIVES_MS
from chalicelib.domain.money.reconciliation import RECONCILE_AFTER_MS, Finding, SessionReconciliation
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.usage import Served
from chalicelib.domain.money.wallets import Wallet
from chalicelib.ports.common import all_items
from chalicelib.stores import Stores
from tests.contract.money.test_settling import Ended, outcome, stopped, with_rules


@pytest.fixture
def money(module_settings: Settings) -> Stores:
    return Stores(module_settings)


@pytest.fixture
def ended(stores: Stores) -> Ended:
    """A session that cost ten points for six seconds, of which its gateway's log shows nothing yet."""
    ended = stopped(with_rules(stores))
    ended.services.stores.usage.mark("gw", ended.services.clock.now_ms())
    ended.services.clock.advance(RECONCILE_AFTER_MS)
    return ended


def serve(ended: Ended, media_ms: int, lost: tuple[tuple[int, int], ...] = (), through_ms: int | None = None) -> None:
    """Add what the session was served, and let the log be read up to now."""
    now_ms, usage = ended.services.clock.now_ms(), ended.services.stores.usage
    if media_ms:
        served = Served(media_ms=media_ms, media_bytes=1, segments=-(-media_ms // 2_000), requests=1)
        assert usage.add(ended.record.session_id, served, follower="gw", batch=1, now_ms=now_ms)
    usage.mark("gw", now_ms if through_ms is None else through_ms, lost)


def row_of(ended: Ended) -> SessionReconciliation:
    rows = all_items(ended.services.reconciliation.rows, None, agrees=None, limit=100)
    return {row.session_id: row for row in rows}[ended.record.session_id]


def adjust(ended: Ended, millipoints: int) -> Wallet:
    return ended.services.reconciliation.adjust(
        ended.record.session_id, millipoints=millipoints, payment_id=new_session_id(), note="", by_user_id="u_admin"
    )


def test_a_session_is_settled_once_its_log_is_complete(ended: Ended) -> None:
    run, ended_at_ms = ended.services.reconciliation.run, ended.record.ended_at_ms or 0
    serve(ended, 13_000, through_ms=ended_at_ms + LOG_ARRIVES_MS - 1)
    assert (run().settled, ended.now.settled_at_ms) == (0, None)
    assert row_of(ended).reason is Finding.NOT_MEASURED
    ended.services.clock.advance(60_000)
    serve(ended, 0, through_ms=ended_at_ms + LOG_ARRIVES_MS)
    assert run().settled == 1
    assert outcome(ended.now) == (3_000, -3_000, 0, 13_000)
    row = row_of(ended)
    assert (row.reason, row.served_ahead_millipoints, row.net_millipoints) == (Finding.OK, 3_000, 13_000)
    assert run().settled == 0


@pytest.mark.parametrize("at", [0, 6_000 + LOG_ARRIVES_MS])
def test_a_lost_part_of_the_log_returns_the_reserve_only(ended: Ended, at: int) -> None:
    lost_ms = ended.record.started_at_ms + at
    serve(ended, 1_000, lost=((lost_ms, lost_ms),))
    ended.services.reconciliation.run()
    assert outcome(ended.now) == (0, 4_000, 0, 6_000)
    assert row_of(ended).reason is Finding.NOT_MEASURED


def test_a_log_that_never_comes_returns_the_reserve_after_a_day(ended: Ended) -> None:
    run = ended.services.reconciliation.run
    ended.services.clock.advance(GIVE_UP_MS - RECONCILE_AFTER_MS)
    assert (run().settled, ended.now.settled_at_ms) == (0, None)
    ended.services.clock.advance(2 * GIVE_UP_MS)
    assert run().settled == 1
    assert outcome(ended.now) == (0, 4_000, 0, 6_000)


def test_two_runners_settle_once(ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole run happens between each read and the write of another one."""
    serve(ended, 13_000)
    settle, runs = ended.services.settlements.settle, []

    def overtaken(record: SessionRecord, *rest: Any) -> SessionRecord:
        if not runs:
            runs.append("other")
            runs.append(ended.services.reconciliation.run())
        return settle(record, *rest)

    monkeypatch.setattr(ended.services.settlements, "settle", overtaken)
    assert ended.services.reconciliation.run().failed == 0
    assert len(runs) == 2
    assert outcome(ended.now) == (3_000, -3_000, 0, 13_000)
    assert ended.playback.kinds().count("served_ahead") == 1
    assert ended.playback.balance == 87_000 == ended.playback.ledger_sum


@pytest.mark.parametrize(("media_ms", "cost"), [(13_000, 13_000), (6_000, 6_000), (0, 0)])
def test_an_adjustment_and_a_settlement_that_race_both_count(
    ended: Ended, monkeypatch: pytest.MonkeyPatch, media_ms: int, cost: int
) -> None:
    serve(ended, media_ms)
    settle, adjusted = ended.services.settlements.settle, []

    def overtaken(record: SessionRecord, *rest: Any) -> SessionRecord:
        if not adjusted:
            adjusted.append(adjust(ended, 1_000))
        return settle(record, *rest)

    monkeypatch.setattr(ended.services.settlements, "settle", overtaken)
    ended.services.reconciliation.run()
    # A credit gives back at most what the adjustment left.
    assert outcome(ended.now)[3] == max(cost, 1_000)
    assert ended.now.adjusted_millipoints == 1_000
    assert ended.playback.balance == 100_000 - max(cost, 1_000) + 1_000 == ended.playback.ledger_sum


@pytest.mark.parametrize(("media_ms", "given"), [(13_000, 9_000), (6_000, 6_000)])
def test_a_settlement_between_read_and_write_of_an_adjustment_is_seen(
    ended: Ended, monkeypatch: pytest.MonkeyPatch, media_ms: int, given: int
) -> None:
    serve(ended, media_ms)
    credit, runs = ended.services.ledger.credit, []

    def overtaken(**values: Any) -> Wallet:
        if not runs:
            runs.append(ended.services.reconciliation.run())
        return credit(**values)

    monkeypatch.setattr(ended.services.ledger, "credit", overtaken)
    before = ended.playback.balance
    adjust(ended, given)
    assert ended.playback.balance == before + 10_000 - media_ms + given == ended.playback.ledger_sum
    with pytest.raises(AdjustmentOutOfBounds) as refused:
        adjust(ended, media_ms)
    assert refused.value.extra["millipoints_max"] == media_ms - given


def test_a_withheld_credit_is_listed_until_an_operator_adjusts(stores: Stores) -> None:
    services = with_rules(stores, settlement_credits=False)
    ended = stopped(services, reason=EndReason.KICKED)
    services.clock.advance(RECONCILE_AFTER_MS)
    serve(ended, 0)
    services.reconciliation.run()
    disagreeing = partial(services.reconciliation.rows, None, agrees=False, limit=9, cursor=None)
    assert [row.reason for row in disagreeing().items] == [Finding.CREDIT_WITHHELD]
    adjust(ended, 6_000)
    services.clock.advance(2)
    services.reconciliation.run()
    assert disagreeing().items == []
    assert ended.playback.balance == 100_000
