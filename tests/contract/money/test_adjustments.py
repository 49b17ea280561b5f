"""Adjustments of a session: what they give back stays between nothing and what it has cost, also at once."""

from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import Settlement
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import Payment
from chalicelib.ports.money import BeyondCost
from chalicelib.stores import Stores
from tests.contract.money.wallet_parts import NOW, payment, record_now, wallet_of, watching

COST = 6_000


@pytest.fixture
def ended(money: Stores) -> SessionRecord:
    """A session that cost 6 points, after a refund of 4."""
    user_id, session = watching(money)
    settlement = Settlement(refund_millipoints=4_000, watched_ms=6_000)
    money.wallets.end(user_id, session, EndReason.VIEWER_STOPPED, settlement, NOW + 6_000)
    return record_now(money, session.session_id)


def adjustment(record: SessionRecord, millipoints: int, payment_id: str | None = None) -> Payment:
    return replace(
        payment(record.user_id, millipoints, payment_id), session_id=record.session_id, stream_id=record.stream_id
    )


def refused(money: Stores, record: SessionRecord, millipoints: int) -> None:
    """The adjustment is beyond what the session cost, and leaves no trace."""
    one = adjustment(record, millipoints)
    with pytest.raises(BeyondCost):
        money.wallets.pay(one, record)
    assert money.payments.get(one.payment_id) is None


def test_no_more_is_given_back_than_the_session_cost(money: Stores, ended: SessionRecord) -> None:
    refused(money, ended, COST + 1)
    assert wallet_of(money, ended.user_id).balance_millipoints == 100_000 - COST
    assert money.wallets.pay(adjustment(ended, COST - 1_000), ended)
    refused(money, ended, 1_001)
    assert money.wallets.pay(adjustment(ended, 1_000), ended)
    refused(money, ended, 1)
    assert wallet_of(money, ended.user_id).balance_millipoints == 100_000
    now = record_now(money, ended.session_id)
    assert (now.adjustments, now.adjusted_millipoints, now.charged_millipoints) == (2, COST, COST)


def test_no_more_is_taken_than_adjustments_gave(money: Stores, ended: SessionRecord) -> None:
    refused(money, ended, -1)
    assert money.wallets.pay(adjustment(ended, 2_500), ended)
    refused(money, ended, -2_501)
    assert money.wallets.pay(adjustment(ended, -2_500), ended)
    now = record_now(money, ended.session_id)
    assert (now.adjustments, now.adjusted_millipoints) == (2, 0)


def test_one_that_was_made_is_known_again_whatever_is_left(money: Stores, ended: SessionRecord) -> None:
    all_of_it = adjustment(ended, COST)
    assert money.wallets.pay(all_of_it, ended) is True
    assert money.wallets.pay(all_of_it, ended) is False
    assert money.wallets.pay(adjustment(ended, 7, all_of_it.payment_id), ended) is False
    assert record_now(money, ended.session_id).adjusted_millipoints == COST


def test_a_session_that_goes_on_has_no_cost_yet(money: Stores) -> None:
    active = record_now(money, watching(money)[1].session_id)
    # Not even where its cost is made up.
    for record in (active, replace(active, charged_millipoints=10_000)):
        refused(money, record, 1)


def test_a_session_that_costs_nothing_has_nothing_to_give_back(money: Stores) -> None:
    free = {"charged_millipoints": 0, "rate_millipoints_per_minute": 0, "charge_millipoints": 0}
    user_id, session = watching(money, **free)
    settlement = Settlement(refund_millipoints=0, watched_ms=1)
    money.wallets.end(user_id, session, EndReason.VIEWER_STOPPED, settlement, NOW + 1)
    for millipoints in (1, -1):
        refused(money, record_now(money, session.session_id), millipoints)
