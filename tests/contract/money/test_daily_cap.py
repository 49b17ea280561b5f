"""The daily cap: the most that all sessions of a user spend in a day, to the millipoint, over both stores."""

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import SessionOver
from chalicelib.domain.money.lease import Outcome, seconds_left
from chalicelib.domain.money.wallets import MS_PER_DAY, NO_DAILY_CAP, spent_today_millipoints
from tests.contract.conftest import MoneyStores
from tests.contract.money.house import LEASE_MS, House, build_house


@pytest.fixture
def house(money: MoneyStores) -> House:
    return build_house(money)


def spent_today(house: House, user_id: str) -> int:
    return spent_today_millipoints(house.ledger.wallet(user_id), house.clock.now_ms())


def test_the_rest_of_the_day_is_sold_exactly_and_then_the_session_ends(house: House) -> None:
    user_id = house.viewer(100_000)
    house.ledger.set_daily_cap(user_id, 23_000)
    beat = house.open(user_id)
    assert seconds_left(beat.wallet, beat.session, house.clock.now_ms()) == 23
    session_id = beat.session.session_id
    for seq, (outcome, charge) in enumerate([(Outcome.ON_TIME, 10_000), (Outcome.POOR, 3_000)], start=2):
        house.clock.advance(9_000)
        beat = house.billing.heartbeat(user_id, session_id, seq)
        assert (beat.outcome, beat.charged_millipoints) == (outcome, charge)
    house.clock.advance(beat.session.paid_until_ms - house.clock.now_ms())
    with pytest.raises(SessionOver) as over:
        house.billing.heartbeat(user_id, session_id, 4)
    assert over.value.reason is EndReason.DAILY_CAP_REACHED
    assert (house.balance(user_id), spent_today(house, user_id)) == (77_000, 23_000)
    with pytest.raises(SessionOver) as refused:
        house.open(user_id)
    assert refused.value.reason is EndReason.DAILY_CAP_REACHED


def test_sessions_share_the_cap_and_a_refund_gives_it_back(house: House) -> None:
    user_id = house.viewer(100_000)
    house.ledger.set_daily_cap(user_id, 25_000)
    first, second = house.open(user_id), house.open(user_id)
    assert seconds_left(second.wallet, second.session, house.clock.now_ms()) == 10 + 2
    house.clock.advance(6_000)
    house.billing.end(user_id, first.session.session_id, EndReason.VIEWER_STOPPED)
    assert spent_today(house, user_id) == 16_000
    beat = house.billing.heartbeat(user_id, second.session.session_id, 2)
    assert (beat.outcome, beat.charged_millipoints) == (Outcome.POOR, 9_000)


def test_a_new_day_begins_with_the_whole_cap(house: House) -> None:
    user_id = house.viewer(100_000)
    house.ledger.set_daily_cap(user_id, 12_000)
    midnight_ms = (house.clock.now_ms() // MS_PER_DAY + 1) * MS_PER_DAY
    house.clock.advance(midnight_ms - house.clock.now_ms() - 9_000)
    session_id = house.open(user_id).session.session_id
    house.clock.advance(8_000)
    assert house.billing.heartbeat(user_id, session_id, 2).charged_millipoints == 2_000
    house.clock.advance(1_500)
    beat = house.billing.heartbeat(user_id, session_id, 3)
    assert (beat.outcome, beat.charged_millipoints) == (Outcome.ON_TIME, 10_000)
    assert spent_today(house, user_id) == 10_000
    house.clock.advance(MS_PER_DAY)
    assert spent_today(house, user_id) == 0


def test_a_cap_can_be_raised_lowered_and_lifted_while_watching(house: House) -> None:
    user_id = house.viewer(100_000)
    house.ledger.set_daily_cap(user_id, 10_000)
    session_id = house.open(user_id).session.session_id
    house.clock.advance(9_000)
    assert house.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.EARLY
    assert house.ledger.set_daily_cap(user_id, 30_000).daily_left_millipoints == 20_000
    assert house.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.ON_TIME
    assert house.ledger.set_daily_cap(user_id, 5_000).daily_left_millipoints == -15_000
    house.clock.advance(LEASE_MS)
    assert house.billing.heartbeat(user_id, session_id, 3).outcome is Outcome.EARLY
    assert house.ledger.set_daily_cap(user_id, None).daily_cap_millipoints == NO_DAILY_CAP
    assert house.billing.heartbeat(user_id, session_id, 3).outcome is Outcome.ON_TIME
    assert spent_today(house, user_id) == 30_000
