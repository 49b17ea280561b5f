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
from tests.contract.money.billing_services import LEASE_MS, RATE, Services, build_services


@pytest.fixture
def services(money: MoneyStores) -> Services:
    return build_services(money)


def test_watching_costs_exactly_the_leases_bought(services: Services) -> None:
    user_id = services.viewer(1_000_000)
    beat = services.open(user_id)
    session_id = beat.session.session_id
    for seq in range(2, 31):
        services.clock.advance(beat.session.paid_until_ms - services.clock.now_ms() - 1_000)
        beat = services.billing.heartbeat(user_id, session_id, seq)
        assert (beat.outcome, beat.charged_millipoints) == (Outcome.ON_TIME, 10_000)
        assert beat.wallet.balance_millipoints == 1_000_000 - seq * 10_000
        assert services.ledger_sum(user_id) == beat.wallet.balance_millipoints
    # 290 s have passed less the second before each end; 11 s of the last lease are unserved.
    record = services.billing.end(user_id, session_id, EndReason.VIEWER_STOPPED)
    assert record.watched_ms == services.clock.now_ms() - record.started_at_ms
    assert record.charged_millipoints == record.watched_ms * RATE // 60_000
    assert services.balance(user_id) == 1_000_000 - record.charged_millipoints == services.ledger_sum(user_id)


def test_a_replay_is_answered_and_not_charged(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(6_000)
    first = services.billing.heartbeat(user_id, session_id, 2)
    again = services.billing.heartbeat(user_id, session_id, 2)
    assert again == replace(first, outcome=Outcome.REPLAY)
    stale = services.billing.heartbeat(user_id, session_id, 1)
    assert (stale.outcome, stale.charged_millipoints) == (Outcome.STALE, 0)
    assert services.balance(user_id) == 80_000


def test_early_late_and_lapsed(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    assert services.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.EARLY
    services.clock.advance(LEASE_MS + LATE_MS_MAX)
    late = services.billing.heartbeat(user_id, session_id, 2)
    assert (late.outcome, late.session.paid_until_ms) == (Outcome.LATE, services.clock.now_ms() + LEASE_MS)
    services.clock.advance(LEASE_MS + LATE_MS_MAX + 1)
    with pytest.raises(SessionOver) as over:
        services.billing.heartbeat(user_id, session_id, 3)
    assert over.value.reason is EndReason.LEASE_EXPIRED
    assert services.balance(user_id) == 80_000


def test_at_the_end_of_the_money_the_rest_is_sold_and_then_the_session_ends(services: Services) -> None:
    user_id = services.viewer(13_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(9_000)
    poor = services.billing.heartbeat(user_id, session_id, 2)
    assert (poor.outcome, poor.charged_millipoints, poor.wallet.balance_millipoints) == (Outcome.POOR, 3_000, 0)
    services.clock.advance(3_999)
    assert services.billing.heartbeat(user_id, session_id, 3).outcome is Outcome.EARLY
    services.clock.advance(1)
    with pytest.raises(SessionOver) as over:
        services.billing.heartbeat(user_id, session_id, 3)
    assert over.value.reason is EndReason.BALANCE_EXHAUSTED
    assert over.value.extra["charged_millipoints"] == 13_000
    assert services.denylist.sessions[session_id] is EndReason.BALANCE_EXHAUSTED
    assert services.ledger_sum(user_id) == 0
    with pytest.raises(SessionOver):
        services.open(user_id)


def test_a_top_up_takes_effect_at_the_next_beat(services: Services) -> None:
    user_id = services.viewer(10_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(9_000)
    assert services.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.EARLY
    services.credit(user_id, 50_000)
    assert services.billing.heartbeat(user_id, session_id, 2).outcome is Outcome.ON_TIME


def test_the_most_of_a_session_is_kept_to_the_millipoint(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id, budget=14_000).session.session_id
    services.clock.advance(9_000)
    assert services.billing.heartbeat(user_id, session_id, 2).charged_millipoints == 4_000
    services.clock.advance(5_000)
    with pytest.raises(SessionOver) as over:
        services.billing.heartbeat(user_id, session_id, 3)
    assert over.value.reason is EndReason.MAX_POINTS_REACHED
    assert services.balance(user_id) == 86_000


def test_what_is_not_delivered_is_not_charged(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.delivery.on = False
    services.clock.advance(6_000)
    free = services.billing.heartbeat(user_id, session_id, 2)
    assert (free.outcome, free.charged_millipoints) == (Outcome.UNSERVED, 0)
    assert free.session.paid_until_ms == services.clock.now_ms() + 4_000 + LEASE_MS
    assert services.balance(user_id) == 90_000
    assert services.ledger.entries(user_id, limit=1, cursor=None).items[0].kind is EntryKind.UNSERVED
    services.billing.end(user_id, session_id, EndReason.KICKED)
    assert services.balance(user_id) == 94_000


def test_an_end_refunds_once_however_often_it_is_asked_for(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(2_500)
    first = services.billing.end(user_id, session_id, EndReason.KICKED)
    again = services.billing.end(user_id, session_id, EndReason.VIEWER_STOPPED)
    assert first == again
    assert (first.end_reason, first.refunded_millipoints, first.watched_ms) == (EndReason.KICKED, 7_500, 2_500)
    assert services.balance(user_id) == 97_500
    with pytest.raises(SessionOver) as over:
        services.billing.heartbeat(user_id, session_id, 2)
    assert over.value.reason is EndReason.KICKED


def test_sessions_of_others_do_not_exist(services: Services) -> None:
    session_id = services.open(services.viewer(100_000)).session.session_id
    stranger = services.viewer(100_000)
    for attempt in (
        lambda: services.billing.heartbeat(stranger, session_id, 2),
        lambda: services.billing.end(stranger, session_id, EndReason.VIEWER_STOPPED),
        lambda: services.billing.heartbeat(stranger, new_session_id(), 2),
    ):
        with pytest.raises(SessionNotFound):
            attempt()
    assert session_id not in services.denylist.sessions


def test_the_limit_of_sessions_names_those_in_the_way(services: Services) -> None:
    user_id = services.viewer(100_000)
    open_ids = []
    for _ in range(2):
        open_ids.append(services.open(user_id).session.session_id)
        services.clock.advance(1)
    with pytest.raises(SessionLimit) as limit:
        services.open(user_id)
    assert [each["session_id"] for each in limit.value.extra["sessions"]] == open_ids


def test_a_session_whose_lease_ran_out_is_in_nobodys_way(services: Services) -> None:
    user_id = services.viewer(100_000)
    first, second = (services.open(user_id).session.session_id for _ in range(2))
    services.clock.advance(LEASE_MS + GRACE_MS)
    with pytest.raises(SessionLimit):
        services.open(user_id)
    services.clock.advance(1)
    third = services.open(user_id).session.session_id
    assert len({first, second} & set(services.ledger.wallet(user_id).sessions)) == 1
    assert third in services.ledger.wallet(user_id).sessions
    assert services.denylist.sessions.popitem()[1] is EndReason.LEASE_EXPIRED


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
    user_id = services.viewer(1_000_000)
    session_id = services.open(user_id).session.session_id
    for seq in range(2, 12):
        services.clock.advance(LEASE_MS + GRACE_MS - 100 if seq == 2 else LEASE_MS)
        assert services.billing.heartbeat(user_id, session_id, seq).outcome is Outcome.LATE
    served_ms = services.clock.now_ms() - services.money.sessions.get(session_id).started_at_ms  # type: ignore[union-attr]
    assert 1_000_000 - services.balance(user_id) >= served_ms * RATE // 60_000 - LEASE_MS


def test_an_end_as_of_an_earlier_moment_refunds_from_there(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(2_000)
    paused_at_ms = services.clock.now_ms()
    services.clock.advance(60_000)
    record = services.billing.end(user_id, session_id, EndReason.STREAM_PAUSED, as_of_ms=paused_at_ms)
    assert (record.charged_millipoints, record.watched_ms) == (2_000, 2_000)
    assert services.balance(user_id) == 98_000


def test_a_replay_returns_its_charge_after_its_entry_has_moved(services: Services) -> None:
    user_id = services.viewer(100_000)
    session_id = services.open(user_id).session.session_id
    for _ in range(3):
        services.credit(user_id, 1)
    services.clock.advance(6_000)
    services.delivery.on = False
    # Version 6 completes a page, so the entry of this very beat leaves the journal.
    assert services.billing.heartbeat(user_id, session_id, 2).charged_millipoints == 0
    assert services.ledger.wallet(user_id).journal == ()
    services.delivery.on = True
    again = services.billing.heartbeat(user_id, session_id, 2)
    assert (again.outcome, again.charged_millipoints) == (Outcome.REPLAY, 0)


def test_a_replay_returns_its_charge_after_many_other_changes(services: Services) -> None:
    user_id = services.viewer(13_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(9_000)
    assert services.billing.heartbeat(user_id, session_id, 2).charged_millipoints == 3_000
    for _ in range(250):
        services.credit(user_id, 1)
    again = services.billing.heartbeat(user_id, session_id, 2)
    assert (again.outcome, again.charged_millipoints) == (Outcome.REPLAY, 3_000)


def test_a_wallet_has_an_upper_bound(services: Services) -> None:
    user_id = services.viewer(MILLIPOINTS_MAX)
    with pytest.raises(WalletFull):
        services.credit(user_id, 1)
    assert services.balance(user_id) == MILLIPOINTS_MAX


class TopUpBeforeEnd:
    """A store in which a top-up arrives just before the first end."""

    def __init__(self, services: Services, user_id: str) -> None:
        self._house, self._user_id, self._done = services, user_id, False

    def __getattr__(self, name: str) -> object:
        if name == "end" and not self._done:
            self._done = True
            wallet = self._house.ledger.wallet(self._user_id)
            [session_id] = wallet.sessions
            self._house.credit(self._user_id, 50_000)
            self._house.billing.heartbeat(self._user_id, session_id, 3)
        return getattr(self._house.money.wallets, name)


def test_a_top_up_that_comes_between_saves_the_session(services: Services) -> None:
    user_id = services.viewer(10_000)
    session_id = services.open(user_id).session.session_id
    services.clock.advance(LEASE_MS)
    racing = replace_wallets(services, TopUpBeforeEnd(services, user_id))
    beat = racing.heartbeat(user_id, session_id, 2)
    assert beat.outcome is Outcome.STALE
    assert session_id in services.ledger.wallet(user_id).sessions


def replace_wallets(services: Services, wallets: object) -> Billing:
    billing = copy(services.billing)
    billing._wallets = wallets  # type: ignore[assignment]
    return billing
