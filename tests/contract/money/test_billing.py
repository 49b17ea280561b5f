"""The use cases of billing and of starts over both stores, with a clock that is set."""

from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import IdempotencyMismatch, SessionLimit, StreamFull
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.errors import WalletFull
from chalicelib.domain.money.lease import GRACE_MS, LATE_MS_MAX, Outcome, seconds_left
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.wallets import MS_PER_DAY, NO_DAILY_CAP, PAGE_ENTRIES, Wallet, spent_today_millipoints
from tests.contract.money.billing_services import LEASE_MS, RATE, Playback, Services, ended_by


def test_watching_costs_exactly_the_leases_bought(services: Services) -> None:
    playback = services.watching(1_000_000)
    for seq in range(2, 13):
        beat = playback.beat(seq, after_ms=LEASE_MS - (1_000 if seq == 2 else 0))
        assert (beat.outcome, beat.charged_millipoints) == (Outcome.ON_TIME, 10_000)
        assert beat.wallet.balance_millipoints == 1_000_000 - seq * 10_000 == playback.ledger_sum
    record = playback.end()
    assert record.watched_ms == services.clock.now_ms() - record.started_at_ms
    assert record.charged_millipoints == record.watched_ms * RATE // 60_000
    assert playback.balance == 1_000_000 - record.charged_millipoints == playback.ledger_sum


def test_a_replay_is_answered_and_not_charged(services: Services) -> None:
    playback = services.watching()
    first = playback.beat(2, after_ms=6_000)
    assert playback.beat(2) == replace(first, outcome=Outcome.REPLAY)
    stale = playback.beat(1)
    assert (stale.outcome, stale.charged_millipoints, playback.balance) == (Outcome.STALE, 0, 80_000)


def test_early_late_and_lapsed(services: Services) -> None:
    playback = services.watching()
    assert playback.beat(2).outcome is Outcome.EARLY
    late = playback.beat(2, after_ms=LEASE_MS + LATE_MS_MAX)
    assert (late.outcome, late.session.paid_until_ms) == (Outcome.LATE, services.clock.now_ms() + LEASE_MS)
    with ended_by(EndReason.LEASE_EXPIRED):
        playback.beat(3, after_ms=LEASE_MS + LATE_MS_MAX + 1)
    assert playback.balance == 80_000


def test_at_the_end_of_the_money_the_rest_is_sold_and_then_the_session_ends(services: Services) -> None:
    playback = services.watching(13_000)
    poor = playback.beat(2, after_ms=9_000)
    assert (poor.outcome, poor.charged_millipoints, poor.wallet.balance_millipoints) == (Outcome.POOR, 3_000, 0)
    assert playback.beat(3, after_ms=3_999).outcome is Outcome.EARLY
    with ended_by(EndReason.BALANCE_EXHAUSTED) as over:
        playback.beat(3, after_ms=1)
    assert over.value.extra["charged_millipoints"] == 13_000
    assert services.stores.denylist.reason(playback.session_id, None) is EndReason.BALANCE_EXHAUSTED
    assert playback.ledger_sum == 0
    with ended_by(EndReason.BALANCE_EXHAUSTED):
        services.open(playback.user_id)


def test_a_top_up_takes_effect_at_the_next_beat(services: Services) -> None:
    playback = services.watching(10_000)
    assert playback.beat(2, after_ms=9_000).outcome is Outcome.EARLY
    services.credit(playback.user_id, 50_000)
    assert playback.beat(2).outcome is Outcome.ON_TIME


def test_a_session_whose_lease_ran_out_takes_no_place(services: Services) -> None:
    user_id = services.viewer()
    first, second = (services.open(user_id).session.session_id for _ in range(2))
    services.clock.advance(LEASE_MS + GRACE_MS)
    with pytest.raises(SessionLimit):
        services.open(user_id)
    services.clock.advance(1)
    third = services.open(user_id).session.session_id
    assert len({first, second} & set(services.ledger.wallet(user_id).sessions)) == 1
    assert third in services.ledger.wallet(user_id).sessions
    assert {reason for reason, _ in services.stores.denylist.sessions.values()} == {EndReason.LEASE_EXPIRED}


def test_pages_move_out_of_the_journal_and_the_ledger_stays_whole(services: Services) -> None:
    user_id = services.viewer(0)
    for n in range(1, 21):
        services.credit(user_id, 1_000 + n)
        assert services.ledger_sum(user_id) == services.balance(user_id)
        assert len(services.ledger.wallet(user_id).journal) < PAGE_ENTRIES
    assert services.ledger.catch_up() >= 0
    newest = services.ledger.entries(user_id, limit=3, cursor=None)
    assert [entry.delta_millipoints for entry in newest.items] == [1_020, 1_019, 1_018]
    rest = services.ledger.entries(user_id, limit=200, cursor=newest.next_cursor)
    assert [entry.version for entry in rest.items] == list(range(17, 0, -1))


def test_late_within_the_grace_pays_for_the_time_in_which_media_was_open(services: Services) -> None:
    playback, began_ms = services.watching(1_000_000), services.clock.now_ms()
    for seq in range(2, 12):
        assert playback.beat(seq, LEASE_MS + GRACE_MS - 100 if seq == 2 else LEASE_MS).outcome is Outcome.LATE
    served_ms = services.clock.now_ms() - began_ms
    assert 1_000_000 - playback.balance >= served_ms * RATE // 60_000 - LEASE_MS


def test_a_replay_returns_its_charge_after_its_entry_has_moved(services: Services) -> None:
    playback = services.watching()
    for _ in range(3):
        services.credit(playback.user_id, 1)
    services.delivery.on = False
    # Version 6 completes a page, so the entry of this very beat leaves the journal.
    assert playback.beat(2, after_ms=6_000).charged_millipoints == 0
    assert services.ledger.wallet(playback.user_id).journal == ()
    services.delivery.on = True
    again = playback.beat(2)
    assert (again.outcome, again.charged_millipoints) == (Outcome.REPLAY, 0)


def test_a_replay_returns_its_charge_after_many_other_changes(services: Services) -> None:
    playback = services.watching(13_000)
    assert playback.beat(2, after_ms=9_000).charged_millipoints == 3_000
    for _ in range(25):
        services.credit(playback.user_id, 1)
    again = playback.beat(2)
    assert (again.outcome, again.charged_millipoints) == (Outcome.REPLAY, 3_000)


def test_a_wallet_has_an_upper_bound(services: Services) -> None:
    user_id = services.viewer(MILLIPOINTS_MAX)
    with pytest.raises(WalletFull):
        services.credit(user_id, 1)
    assert services.balance(user_id) == MILLIPOINTS_MAX


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


def test_a_late_beat_that_is_sold_by_another_function_meanwhile_is_a_replay(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    playback, buy = services.watching(), services.stores.wallets.buy
    services.clock.advance(LEASE_MS + GRACE_MS + 1)

    def buy_after_another(*values: object) -> Wallet:
        monkeypatch.undo()
        assert playback.beat(2).outcome is Outcome.LATE
        return buy(*values)

    monkeypatch.setattr(services.stores.wallets, "buy", buy_after_another)
    assert (playback.beat(2).outcome, playback.balance) == (Outcome.REPLAY, 80_000)


def test_a_top_up_that_comes_between_saves_the_session(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    playback, end = services.watching(10_000), services.stores.wallets.end
    services.clock.advance(LEASE_MS)

    def end_after_a_top_up(*values: object) -> None:
        monkeypatch.undo()
        services.credit(playback.user_id, 50_000)
        playback.beat(3)
        end(*values)

    monkeypatch.setattr(services.stores.wallets, "end", end_after_a_top_up)
    assert playback.beat(2).outcome is Outcome.STALE
    assert playback.session_id in services.ledger.wallet(playback.user_id).sessions


@pytest.mark.parametrize("changed", [("stream-2", MILLIPOINTS_MAX), ("stream-1", 50_000)])
def test_a_key_is_for_one_start_only(services: Services, changed: tuple[str, int]) -> None:
    playback = services.watching()
    playback.beat(2, after_ms=6_000)
    find, ids = services.session_opener.find, (playback.user_id, playback.session_id)
    assert find(*ids, "stream-1", MILLIPOINTS_MAX) is not None
    with pytest.raises(IdempotencyMismatch):
        find(*ids, *changed)


def end_all(services: Services, *user_ids: str) -> None:
    """Give the places of the stream back, which the other tests of this stage use too."""
    for user_id in user_ids:
        for session_id in services.ledger.wallet(user_id).sessions:
            Playback(services, user_id, session_id).end()


def test_a_stream_takes_no_more_viewers_than_it_may(services: Services) -> None:
    first, second, third = viewers = [services.viewer() for _ in range(3)]
    for user_id in (first, second):
        services.open(user_id, viewers_max=2)
    with pytest.raises(StreamFull) as full:
        services.open(third, viewers_max=2)
    assert full.value.extra["sessions"] == [] and services.balance(third) == 100_000
    end_all(services, first)
    assert services.open(third, viewers_max=2).session.counted
    with pytest.raises(StreamFull) as own:
        services.open(second, viewers_max=2)
    assert len(own.value.extra["sessions"]) == 1
    # An expired lease does not block a new session.
    services.clock.advance(LEASE_MS + GRACE_MS + 1)
    services.open(first, viewers_max=2)
    end_all(services, *viewers)


def test_a_start_is_not_in_its_own_way(services: Services) -> None:
    playback, session_id = services.watching(), new_session_id()
    services.open(playback.user_id, session_id=session_id)
    # The limit is two, and one of them is the session that is requested again.
    again = services.open(playback.user_id, session_id=session_id)
    assert (again.outcome, playback.balance) == (Outcome.REPLAY, 80_000)


def test_a_start_that_races_its_first_try_finds_the_session(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, session_id, read = services.viewer(), new_session_id(), services.ledger.wallet

    def read_before_the_first_try(user_id: str) -> Wallet:
        monkeypatch.undo()
        wallet = read(user_id)
        services.open(user_id, session_id=session_id)
        return wallet

    monkeypatch.setattr(services.ledger, "wallet", read_before_the_first_try)
    beat = services.session_opener.find(user_id, session_id, "stream-1", MILLIPOINTS_MAX)
    assert beat is not None
    assert (beat.outcome, services.balance(user_id)) == (Outcome.REPLAY, 90_000)
