"""Adjustments of a session: what they give back stays between nothing and what it has cost, also at once."""

from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import Closing
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import Payment
from chalicelib.ports.money.money import BeyondCost
from chalicelib.stores import Stores
from tests.contract.money.wallet_parts import NOW, payment, record_now, wallet_of, watching

COST = 6_000


@pytest.fixture
def ended(money: Stores) -> SessionRecord:
    """A session that cost 6 points, after a refund of 4."""
    user_id, session = watching(money)
    settlement = Closing(refund_millipoints=4_000, watched_ms=6_000)
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


def test_adjustments_stay_between_nothing_and_the_cost_and_each_is_made_once(
    money: Stores, ended: SessionRecord
) -> None:
    refused(money, ended, COST + 1)
    refused(money, ended, -1)
    all_of_it = adjustment(ended, COST)
    assert money.wallets.pay(all_of_it, ended)
    assert wallet_of(money, ended.user_id).balance_millipoints == 100_000
    refused(money, ended, 1)
    # One that was made is found again, although nothing is left.
    for repeated in (all_of_it, adjustment(ended, 7, all_of_it.payment_id)):
        assert not money.wallets.pay(repeated, ended)
    assert money.wallets.pay(adjustment(ended, -2_500), ended)
    refused(money, ended, -(COST - 2_499))
    now = record_now(money, ended.session_id)
    assert (now.adjustments, now.adjusted_millipoints, now.charged_millipoints) == (2, COST - 2_500, COST)


def test_a_session_that_goes_on_has_no_cost_yet(money: Stores) -> None:
    active = record_now(money, watching(money)[1].session_id)
    # Not even where its cost is made up.
    for record in (active, replace(active, charged_millipoints=10_000)):
        refused(money, record, 1)
