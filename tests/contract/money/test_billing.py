"""Billing's use cases over both stores, with a clock that is set."""

from copy import copy
from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import SessionLimit, SessionNotFound, SessionOver, WalletFull
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.lease import GRACE_MS, LATE_MS_MAX, Outcome
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.wallets import PAGE_ENTRIES, EntryKind
from chalicelib.services.money.billing import Billing
from tests.contract.conftest import MoneyStores
from tests.contract.money.house import LEASE_MS, RATE, House, build_house


@pytest.fixture
def house(money: MoneyStores) -> House:
    return build_house(money)


def test_watching_costs_exactly_the_leases_bought(house: House) -> None:
    user_id = house.viewer(1_000_000)
    beat = house.open(user_id)
    session_id = beat.session.session_id
    for seq in range(2, 31):
        house.clock.advance(beat.session.paid_until_ms - house.clock.now_ms() - 1_000)
        beat = house.billing.heartbeat(user_id, session_id, seq)
        assert (beat.outcome, beat.charged_millipoints) == (Outcome.ON_TIME, 10_000)
        assert beat.wallet.balance_millipoints == 1_000_000 - seq * 10_000
        assert house.ledger_sum(user_id) == beat.wallet.balance_millipoints
    # 290 s have passed less the second before each end; 11 s of the last lease are unserved.
    record = house.billing.end(user_id, session_id, EndReason.VIEWER_STOPPED)
    assert record.watched_ms == house.clock.now_ms() - record.started_at_ms
    assert record.charged_millipoints == record.watched_ms * RATE // 60_000
    assert house.balance(user_id) == 1_000_000 - record.charged_millipoints == house.ledger_sum(user_id)


def test_a_replay_is_answered_and_not_charged(house: House) -> None:
    user_id = house.viewer(100_000)
    session_id = house.open(user_id).session.session_id
    house.clock.advance(6_000)
    first = house.billing.heartbeat(user_id, session_id, 2)
    again = house.billing.heartbeat(user_id, session_id, 2)
    assert again == replace(first, outcome=Outcome.REPLAY)
    stale = house.billing.heartbeat(user_id, session_id, 1)
    assert (stale.outcome, stale.charged_millipoints) == (Outcome.STALE, 0)
    assert house.balance(user_id) == 80_000


def test_early_late_and_lapsed(house: House) -> None:
    user_id = house.viewer(100_000)
    session_id = house.open(user_id).session.session_id
    assert house.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.EARLY
    house.clock.advance(LEASE_MS + LATE_MS_MAX)
    late = house.billing.heartbeat(user_id, session_id, 2)
    assert (late.outcome, late.session.paid_until_ms) == (Outcome.LATE, house.clock.now_ms() + LEASE_MS)
    house.clock.advance(LEASE_MS + LATE_MS_MAX + 1)
    with pytest.raises(SessionOver) as over:
        house.billing.heartbeat(user_id, session_id, 3)
    assert over.value.reason is EndReason.LEASE_EXPIRED
    assert house.balance(user_id) == 80_000


def test_at_the_end_of_the_money_the_rest_is_sold_and_then_the_session_ends(house: House) -> None:
    user_id = house.viewer(13_000)
    session_id = house.open(user_id).session.session_id
    house.clock.advance(9_000)
    poor = house.billing.heartbeat(user_id, session_id, 2)
    assert (poor.outcome, poor.charged_millipoints, poor.wallet.balance_millipoints) == (Outcome.POOR, 3_000, 0)
    house.clock.advance(3_999)
    assert house.billing.heartbeat(user_id, session_id, 3).outcome is Outcome.EARLY
    house.clock.advance(1)
    with pytest.raises(SessionOver) as over:
        house.billing.heartbeat(user_id, session_id, 3)
    assert over.value.reason is EndReason.BALANCE_EXHAUSTED
    assert over.value.extra["charged_millipoints"] == 13_000
    assert house.denylist.sessions[session_id] is EndReason.BALANCE_EXHAUSTED
    assert house.ledger_sum(user_id) == 0
    with pytest.raises(SessionOver):
        house.open(user_id)


def test_a_top_up_takes_effect_at_the_next_beat(house: House) -> None:
    user_id = house.viewer(10_000)
    session_id = house.open(user_id).session.session_id
    house.clock.advance(9_000)
    assert house.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.EARLY
    house.credit(user_id, 50_000)
    assert house.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.ON_TIME


def test_the_most_of_a_session_is_kept_to_the_millipoint(house: House) -> None:
    user_id = house.viewer(100_000)
    session_id = house.open(user_id, budget=14_000).session.session_id
    house.clock.advance(9_000)
    assert house.billing.heartbeat(user_id, session_id, 2).charged_millipoints == 4_000
    house.clock.advance(5_000)
    with pytest.raises(SessionOver) as over:
        house.billing.heartbeat(user_id, session_id, 3)
    assert over.value.reason is EndReason.MAX_POINTS_REACHED
    assert house.balance(user_id) == 86_000


def test_what_is_not_delivered_is_not_charged(house: House) -> None:
    user_id = house.viewer(100_000)
    session_id = house.open(user_id).session.session_id
    house.delivery.on = False
    house.clock.advance(6_000)
    free = house.billing.heartbeat(user_id, session_id, 2)
    assert (free.outcome, free.charged_millipoints) == (Outcome.UNSERVED, 0)
    assert free.session.paid_until_ms == house.clock.now_ms() + 4_000 + LEASE_MS
    assert house.balance(user_id) == 90_000
    assert house.ledger.entries(user_id, limit=1, cursor=None).items[0].kind is EntryKind.UNSERVED
    house.billing.end(user_id, session_id, EndReason.KICKED)
    assert house.balance(user_id) == 94_000


def test_an_end_refunds_once_however_often_it_is_asked_for(house: House) -> None:
    user_id = house.viewer(100_000)
    session_id = house.open(user_id).session.session_id
    house.clock.advance(2_500)
    first = house.billing.end(user_id, session_id, EndReason.KICKED)
    again = house.billing.end(user_id, session_id, EndReason.VIEWER_STOPPED)
    assert first == again
    assert (first.end_reason, first.refunded_millipoints, first.watched_ms) == (EndReason.KICKED, 7_500, 2_500)
    assert house.balance(user_id) == 97_500
    with pytest.raises(SessionOver) as over:
        house.billing.heartbeat(user_id, session_id, 2)
    assert over.value.reason is EndReason.KICKED


def test_sessions_of_others_do_not_exist(house: House) -> None:
    session_id = house.open(house.viewer(100_000)).session.session_id
    stranger = house.viewer(100_000)
    for attempt in (
        lambda: house.billing.heartbeat(stranger, session_id, 2),
        lambda: house.billing.end(stranger, session_id, EndReason.VIEWER_STOPPED),
        lambda: house.billing.heartbeat(stranger, new_session_id(), 2),
    ):
        with pytest.raises(SessionNotFound):
            attempt()
    assert session_id not in house.denylist.sessions


def test_the_limit_of_sessions_names_those_in_the_way(house: House) -> None:
    user_id = house.viewer(100_000)
    open_ids = []
    for _ in range(2):
        open_ids.append(house.open(user_id).session.session_id)
        house.clock.advance(1)
    with pytest.raises(SessionLimit) as limit:
        house.open(user_id)
    assert [each["session_id"] for each in limit.value.extra["sessions"]] == open_ids


def test_a_session_whose_lease_ran_out_is_in_nobodys_way(house: House) -> None:
    user_id = house.viewer(100_000)
    first, second = (house.open(user_id).session.session_id for _ in range(2))
    house.clock.advance(LEASE_MS + GRACE_MS)
    with pytest.raises(SessionLimit):
        house.open(user_id)
    house.clock.advance(1)
    third = house.open(user_id).session.session_id
    assert len({first, second} & set(house.ledger.wallet(user_id).sessions)) == 1
    assert third in house.ledger.wallet(user_id).sessions
    assert house.denylist.sessions.popitem()[1] is EndReason.LEASE_EXPIRED


def test_pages_move_out_of_the_journal_and_the_ledger_stays_whole(house: House) -> None:
    user_id = house.viewer(0)
    for n in range(1, 21):
        house.credit(user_id, 1_000 + n)
        assert house.ledger_sum(user_id) == house.balance(user_id)
        assert len(house.ledger.wallet(user_id).journal) < PAGE_ENTRIES
    assert house.ledger.catch_up() >= 0
    newest = house.ledger.entries(user_id, limit=3, cursor=None)
    assert [entry.delta_millipoints for entry in newest.items] == [1_020, 1_019, 1_018]
    rest = house.ledger.entries(user_id, limit=200, cursor=newest.next_cursor)
    assert [entry.version for entry in rest.items] == list(range(17, 0, -1))


def test_late_within_the_grace_pays_for_the_time_in_which_media_was_open(house: House) -> None:
    user_id = house.viewer(1_000_000)
    session_id = house.open(user_id).session.session_id
    for seq in range(2, 12):
        house.clock.advance(LEASE_MS + GRACE_MS - 100 if seq == 2 else LEASE_MS)
        assert house.billing.heartbeat(user_id, session_id, seq).outcome is Outcome.LATE
    served_ms = house.clock.now_ms() - house.money.sessions.get(session_id).started_at_ms  # type: ignore[union-attr]
    assert 1_000_000 - house.balance(user_id) >= served_ms * RATE // 60_000 - LEASE_MS


def test_an_end_as_of_an_earlier_moment_refunds_from_there(house: House) -> None:
    user_id = house.viewer(100_000)
    session_id = house.open(user_id).session.session_id
    house.clock.advance(2_000)
    paused_at_ms = house.clock.now_ms()
    house.clock.advance(60_000)
    record = house.billing.end(user_id, session_id, EndReason.STREAM_PAUSED, as_of_ms=paused_at_ms)
    assert (record.charged_millipoints, record.watched_ms) == (2_000, 2_000)
    assert house.balance(user_id) == 98_000


def test_a_replay_tells_its_cost_even_after_its_entry_has_moved(house: House) -> None:
    user_id = house.viewer(100_000)
    session_id = house.open(user_id).session.session_id
    for _ in range(3):
        house.credit(user_id, 1)
    house.clock.advance(6_000)
    house.delivery.on = False
    # Version 6 completes a page, so the entry of this very beat leaves the journal.
    assert house.billing.heartbeat(user_id, session_id, 2).charged_millipoints == 0
    assert house.ledger.wallet(user_id).journal == ()
    house.delivery.on = True
    again = house.billing.heartbeat(user_id, session_id, 2)
    assert (again.outcome, again.charged_millipoints) == (Outcome.REPLAY, 0)


def test_a_replay_tells_its_cost_after_many_other_changes(house: House) -> None:
    user_id = house.viewer(13_000)
    session_id = house.open(user_id).session.session_id
    house.clock.advance(9_000)
    assert house.billing.heartbeat(user_id, session_id, 2).charged_millipoints == 3_000
    for _ in range(250):
        house.credit(user_id, 1)
    again = house.billing.heartbeat(user_id, session_id, 2)
    assert (again.outcome, again.charged_millipoints) == (Outcome.REPLAY, 3_000)


def test_a_wallet_has_an_upper_bound(house: House) -> None:
    user_id = house.viewer(MILLIPOINTS_MAX)
    with pytest.raises(WalletFull):
        house.credit(user_id, 1)
    assert house.balance(user_id) == MILLIPOINTS_MAX


class TopUpBeforeEnd:
    """A store in which a top-up arrives just before the first end."""

    def __init__(self, house: House, user_id: str) -> None:
        self._house, self._user_id, self._done = house, user_id, False

    def __getattr__(self, name: str) -> object:
        if name == "end" and not self._done:
            self._done = True
            wallet = self._house.ledger.wallet(self._user_id)
            [session_id] = wallet.sessions
            self._house.credit(self._user_id, 50_000)
            self._house.billing.heartbeat(self._user_id, session_id, 3)
        return getattr(self._house.money.wallets, name)


def test_a_top_up_that_comes_between_saves_the_session(house: House) -> None:
    user_id = house.viewer(10_000)
    session_id = house.open(user_id).session.session_id
    house.clock.advance(LEASE_MS)
    racing = replace_wallets(house, TopUpBeforeEnd(house, user_id))
    beat = racing.heartbeat(user_id, session_id, 2)
    assert beat.outcome is Outcome.STALE
    assert session_id in house.ledger.wallet(user_id).sessions


def replace_wallets(house: House, wallets: object) -> Billing:
    billing = copy(house.billing)
    billing._wallets = wallets  # type: ignore[assignment]
    return billing
