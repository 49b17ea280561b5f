"""The daily cap: the most that all sessions of a user spend in a day, to the millipoint, over both stores."""

from chalicelib.domain.money.lease import Outcome, seconds_left
from chalicelib.domain.money.wallets import MS_PER_DAY, NO_DAILY_CAP, spent_today_millipoints
from tests.contract.money.billing_services import LEASE_MS, Playback, Services


def capped(services: Services, millipoints: int) -> Playback:
    user_id = services.viewer()
    services.ledger.set_daily_cap(user_id, millipoints)
    return Playback(services, user_id, services.open(user_id).session.session_id)


def spent_today(playback: Playback) -> int:
    wallet = playback.services.ledger.wallet(playback.user_id)
    return spent_today_millipoints(wallet, playback.services.clock.now_ms())


def left_s(playback: Playback) -> int:
    wallet = playback.services.ledger.wallet(playback.user_id)
    return seconds_left(wallet, wallet.sessions[playback.session_id], playback.services.clock.now_ms())


def test_sessions_share_the_cap_and_a_refund_gives_it_back(services: Services) -> None:
    first = capped(services, 25_000)
    second = Playback(services, first.user_id, services.open(first.user_id).session.session_id)
    assert left_s(second) == 10 + 2
    first.end(after_ms=6_000)
    assert spent_today(second) == 16_000
    beat = second.beat(2)
    assert (beat.outcome, beat.charged_millipoints) == (Outcome.POOR, 9_000)


def test_a_new_day_begins_with_the_whole_cap(services: Services) -> None:
    services.clock.advance(MS_PER_DAY - services.clock.now_ms() % MS_PER_DAY - 9_000)
    playback = capped(services, 12_000)
    assert playback.beat(2, after_ms=8_000).charged_millipoints == 2_000
    beat = playback.beat(3, after_ms=1_500)
    assert (beat.outcome, beat.charged_millipoints, spent_today(playback)) == (Outcome.ON_TIME, 10_000, 10_000)
    services.clock.advance(MS_PER_DAY)
    assert spent_today(playback) == 0


def test_a_cap_can_be_raised_lowered_and_lifted_while_watching(services: Services) -> None:
    playback, set_cap = capped(services, 10_000), services.ledger.set_daily_cap
    assert playback.beat(2, after_ms=9_000).outcome is Outcome.EARLY
    assert set_cap(playback.user_id, 30_000).daily_left_millipoints == 20_000
    assert playback.beat(2).outcome is Outcome.ON_TIME
    assert set_cap(playback.user_id, 5_000).daily_left_millipoints == -15_000
    assert playback.beat(3, after_ms=LEASE_MS).outcome is Outcome.EARLY
    assert set_cap(playback.user_id, None).daily_cap_millipoints == NO_DAILY_CAP
    assert playback.beat(3).outcome is Outcome.ON_TIME
    assert spent_today(playback) == 30_000
