"""The daily cap: the most that all sessions of a user spend in a day, to the millipoint, over both stores."""

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import SessionOver
from chalicelib.domain.money.lease import Outcome, seconds_left
from chalicelib.domain.money.wallets import MS_PER_DAY, NO_DAILY_CAP, spent_today_millipoints
from tests.contract.conftest import MoneyStores
from tests.contract.money.billing_services import LEASE_MS, Services, build_services


@pytest.fixture
def services(money: MoneyStores) -> Services:
    return build_services(money)


def spent_today(services: Services, user_id: str) -> int:
    return spent_today_millipoints(services.ledger.wallet(user_id), services.clock.now_ms())


def test_the_rest_of_the_day_is_sold_exactly_and_then_the_session_ends(services: Services) -> None:
    user_id = services.viewer(100_000)
    services.ledger.set_daily_cap(user_id, 23_000)
    beat = services.open(user_id)
    assert seconds_left(beat.wallet, beat.session, services.clock.now_ms()) == 23
    session_id = beat.session.session_id
    for seq, (outcome, charge) in enumerate([(Outcome.ON_TIME, 10_000), (Outcome.POOR, 3_000)], start=2):
        services.clock.advance(9_000)
        beat = services.billing.heartbeat(user_id, session_id, seq)
        assert (beat.outcome, beat.charged_millipoints) == (outcome, charge)
    services.clock.advance(beat.session.paid_until_ms - services.clock.now_ms())
    with pytest.raises(SessionOver) as over:
        services.billing.heartbeat(user_id, session_id, 4)
    assert over.value.reason is EndReason.DAILY_CAP_REACHED
    assert (services.balance(user_id), spent_today(services, user_id)) == (77_000, 23_000)
    with pytest.raises(SessionOver) as refused:
        services.open(user_id)
    assert refused.value.reason is EndReason.DAILY_CAP_REACHED


def test_sessions_share_the_cap_and_a_refund_gives_it_back(services: Services) -> None:
    user_id = services.viewer(100_000)
    services.ledger.set_daily_cap(user_id, 25_000)
    first, second = services.open(user_id), services.open(user_id)
    assert seconds_left(second.wallet, second.session, services.clock.now_ms()) == 10 + 2
    services.clock.advance(6_000)
    services.billing.end(user_id, first.session.session_id, EndReason.VIEWER_STOPPED)
    assert spent_today(services, user_id) == 16_000
    beat = services.billing.heartbeat(user_id, second.session.session_id, 2)
    assert (beat.outcome, beat.charged_millipoints) == (Outcome.POOR, 9_000)


def test_a_new_day_begins_with_the_whole_cap(services: Services) -> None:
    user_id = services.viewer(100_000)
    services.ledger.set_daily_cap(user_id, 12_000)
    midnight_ms = (services.clock.now_ms() // MS_PER_DAY + 1) * MS_PER_DAY
    services.clock.advance(midnight_ms - services.clock.now_ms() - 9_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(8_000)
    assert services.billing.heartbeat(user_id, session_id, 2).charged_millipoints == 2_000
    services.clock.advance(1_500)
    beat = services.billing.heartbeat(user_id, session_id, 3)
    assert (beat.outcome, beat.charged_millipoints) == (Outcome.ON_TIME, 10_000)
    assert spent_today(services, user_id) == 10_000
    services.clock.advance(MS_PER_DAY)
    assert spent_today(services, user_id) == 0


def test_a_cap_can_be_raised_lowered_and_lifted_while_watching(services: Services) -> None:
    user_id = services.viewer(100_000)
    services.ledger.set_daily_cap(user_id, 10_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(9_000)
    assert services.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.EARLY
    assert services.ledger.set_daily_cap(user_id, 30_000).daily_left_millipoints == 20_000
    assert services.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.ON_TIME
    assert services.ledger.set_daily_cap(user_id, 5_000).daily_left_millipoints == -15_000
    services.clock.advance(LEASE_MS)
    assert services.billing.heartbeat(user_id, session_id, 3).outcome is Outcome.EARLY
    assert services.ledger.set_daily_cap(user_id, None).daily_cap_millipoints == NO_DAILY_CAP
    assert services.billing.heartbeat(user_id, session_id, 3).outcome is Outcome.ON_TIME
    assert spent_today(services, user_id) == 30_000
