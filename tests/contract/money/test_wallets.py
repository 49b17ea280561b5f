"""The contract of wallet stores: each write happens as a whole and under its condition, or not at all."""

from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_user_id
from chalicelib.domain.money.chain import initial_state, make_page
from chalicelib.domain.money.lease import Closing, Outcome, buy_from_ms
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import ActiveSession
from chalicelib.domain.money.wallets import JOURNAL_ENTRIES_MAX, Entry, EntryKind, full_pages, lease_entry
from chalicelib.ports.money.money import WalletRefused
from chalicelib.stores import Stores
from tests.contract.money.wallet_parts import (
    NOW,
    PURCHASE,
    SESSIONS_MAX,
    a_beat,
    funded,
    payment,
    record_now,
    record_of,
    started,
    wallet_of,
    watching,
)

NOTHING = Closing(refund_millipoints=0, watched_ms=0)


def leased(session: ActiveSession, seq: int, at_ms: int, *, version: int) -> Entry:
    """Return the ledger entry of a lease for 10,000 millipoints."""
    entry = lease_entry(session.session_id, session.stream_id, seq, at_ms)
    return replace(entry, delta_millipoints=-10_000, version=version)


def test_a_new_wallet_is_empty_and_made_once(money: Stores) -> None:
    user_id = funded(money, 5_000)
    money.wallets.create(user_id)
    wallet = wallet_of(money, user_id)
    assert (wallet.balance_millipoints, wallet.version, dict(wallet.sessions)) == (5_000, 1, {})
    assert money.wallets.get(new_user_id()) is None
    assert set(money.wallets.get_many([user_id, new_user_id()])) == {user_id}


def test_a_payment_is_applied_once(money: Stores) -> None:
    user_id = funded(money, 0)
    top_up = payment(user_id, 7_000)
    assert money.wallets.pay(top_up) is True
    assert money.wallets.pay(top_up) is False
    assert money.payments.get(top_up.payment_id) == top_up
    assert wallet_of(money, user_id).balance_millipoints == 7_000
    [entry] = wallet_of(money, user_id).journal
    assert (entry.kind, entry.delta_millipoints, entry.version, entry.note) == (EntryKind.CREDIT, 7_000, 1, "top-up")
    assert entry.payment_id == top_up.payment_id


def test_an_adjustment_never_takes_a_balance_below_zero(money: Stores) -> None:
    user_id = funded(money, 5_000)
    with pytest.raises(WalletRefused) as refused:
        money.wallets.pay(payment(user_id, -5_001))
    assert refused.value.wallet and refused.value.wallet.balance_millipoints == 5_000
    assert money.wallets.pay(payment(user_id, -5_000))
    assert wallet_of(money, user_id).balance_millipoints == 0
    # Nor does one of an unknown user change anything.
    lost = payment(new_user_id(), 1)
    with pytest.raises(WalletRefused):
        money.wallets.pay(lost)
    assert money.payments.get(lost.payment_id) is None


def test_start_buys_the_first_lease_and_puts_the_record(money: Stores) -> None:
    user_id, session = watching(money)
    wallet = wallet_of(money, user_id)
    assert wallet.balance_millipoints == 90_000
    assert wallet.sessions[session.session_id] == session
    assert wallet.journal[-1] == leased(session, 1, NOW, version=2)
    record = record_now(money, session.session_id)
    assert record == record_of(user_id, session) and record.active


def test_start_is_refused_without_money_or_over_the_limit(money: Stores) -> None:
    user_id = funded(money, 9_999)
    with pytest.raises(WalletRefused):
        started(money, user_id)
    rich = funded(money, 1_000_000)
    for _ in range(SESSIONS_MAX):
        started(money, rich)
    with pytest.raises(WalletRefused):
        started(money, rich)
    assert len(wallet_of(money, rich).sessions) == SESSIONS_MAX
    assert wallet_of(money, rich).balance_millipoints == 1_000_000 - SESSIONS_MAX * 10_000


def test_a_short_first_lease_takes_the_exact_rest(money: Stores) -> None:
    user_id = funded(money, 4_000)
    with pytest.raises(WalletRefused):
        started(money, user_id, charged_millipoints=3_000)
    started(money, user_id, charged_millipoints=4_000, paid_until_ms=NOW + 4_000, granted_ms=4_000)
    assert wallet_of(money, user_id).balance_millipoints == 0
    capped = funded(money, 50_000)
    with pytest.raises(WalletRefused):
        started(money, capped, charged_millipoints=4_000, budget_millipoints=1)
    started(money, capped, charged_millipoints=4_000, budget_millipoints=0)
    assert wallet_of(money, capped).balance_millipoints == 46_000


def test_a_beat_on_time_sells_one_lease(money: Stores) -> None:
    user_id, session = watching(money)
    wallet = money.wallets.buy_on_time(user_id, a_beat(session, 2, NOW + 6_000))
    sold = wallet.sessions[session.session_id]
    assert wallet.balance_millipoints == 80_000
    bought = {"seq": 2, "paid_until_ms": NOW + 20_000, "charged_millipoints": 20_000, "granted_ms": 20_000}
    assert sold == replace(session, **bought, budget_millipoints=MILLIPOINTS_MAX - 10_000)
    assert buy_from_ms(sold) == NOW + 15_000
    assert [entry.version for entry in wallet.journal] == [1, 2, 3]
    assert wallet.journal[-1] == leased(session, 2, NOW + 6_000, version=3)
    assert wallet == money.wallets.get(user_id)


@pytest.mark.parametrize(
    ("seq", "at_ms"),
    [(1, 6_000), (0, 6_000), (2, 4_999), (2, 10_001), (2, -1)],
    ids=["replay", "stale", "early", "late", "clock stepped back"],
)
def test_a_beat_out_of_turn_is_refused_with_the_wallet_as_it_stands(money: Stores, seq: int, at_ms: int) -> None:
    user_id, session = watching(money)
    with pytest.raises(WalletRefused) as refused:
        money.wallets.buy_on_time(user_id, a_beat(session, seq, NOW + at_ms))
    assert refused.value.wallet == wallet_of(money, user_id)
    assert wallet_of(money, user_id).balance_millipoints == 90_000


def test_a_beat_needs_balance_and_budget_and_its_window_includes_both_ends(money: Stores) -> None:
    for terms in ({"millipoints": 19_999}, {"budget_millipoints": 9_999}):
        user_id, session = watching(money, **terms)
        with pytest.raises(WalletRefused):
            money.wallets.buy_on_time(user_id, a_beat(session, 2, NOW + 6_000))
    for at_ms in (5_000, 10_000):
        user_id, session = watching(money)
        assert money.wallets.buy_on_time(user_id, a_beat(session, 2, NOW + at_ms)).balance_millipoints == 80_000


def test_a_beat_of_somebody_else_finds_no_session(money: Stores) -> None:
    _, session = watching(money)
    stranger = funded(money, 100_000)
    with pytest.raises(WalletRefused) as refused:
        money.wallets.buy_on_time(stranger, a_beat(session, 2, NOW + 6_000))
    assert refused.value.wallet == wallet_of(money, stranger)
    with pytest.raises(WalletRefused):
        money.wallets.buy_on_time(new_user_id(), a_beat(session, 2, NOW + 6_000))


def test_another_purchase_holds_only_against_what_was_seen(money: Stores) -> None:
    user_id, session = watching(money)
    stale = replace(session, paid_until_ms=session.paid_until_ms - 1)
    with pytest.raises(WalletRefused):
        money.wallets.buy(user_id, stale, 2, PURCHASE, NOW + 30_000, 0)
    wallet = money.wallets.buy(user_id, session, 2, PURCHASE, NOW + 30_000, 0)
    assert wallet.balance_millipoints == 80_000
    assert wallet.sessions[session.session_id].paid_until_ms == NOW + 40_000
    with pytest.raises(WalletRefused):
        money.wallets.buy(user_id, session, 2, PURCHASE, NOW + 30_000, 0)
    # The window of the next beat follows the new end of the lease.
    assert money.wallets.buy_on_time(user_id, a_beat(session, 3, NOW + 35_000)).balance_millipoints == 70_000


def test_a_purchase_after_a_gap_is_a_lease_from_its_start(money: Stores) -> None:
    user_id, session = watching(money)
    wallet = money.wallets.buy(user_id, session, 2, replace(PURCHASE, paid_from_ms=NOW + 30_000), NOW + 30_000, 0)
    times = {"paid_from_ms": NOW + 30_000, "paid_until_ms": NOW + 40_000}
    bought = {"seq": 2, "charged_millipoints": 20_000, "granted_ms": 20_000}
    priced = {"priced_seq": 2, "priced_millipoints": 10_000}
    after = replace(session, **times, **bought, **priced, budget_millipoints=MILLIPOINTS_MAX - 10_000)
    assert wallet.sessions[session.session_id] == after
    assert wallet.journal[-1] == leased(session, 2, NOW + 30_000, version=3)


def test_a_poor_purchase_takes_the_exact_rest_or_nothing(money: Stores) -> None:
    user_id, session = watching(money, 13_000)
    rest = replace(PURCHASE, outcome=Outcome.POOR, charge_millipoints=3_000, granted_ms=3_000)
    with pytest.raises(WalletRefused):
        money.wallets.buy(user_id, session, 2, replace(rest, charge_millipoints=2_000), NOW + 6_000, 0)
    rest = replace(rest, paid_until_ms=NOW + 13_000)
    assert money.wallets.buy(user_id, session, 2, rest, NOW + 6_000, 0).balance_millipoints == 0


def test_unserved_time_is_recorded_without_a_charge(money: Stores) -> None:
    user_id, session = watching(money)
    times = {"free_from_ms": NOW + 10_000, "free_until_ms": NOW + 40_000}
    free = replace(PURCHASE, outcome=Outcome.UNSERVED, charge_millipoints=0, **times)
    wallet = money.wallets.buy(user_id, session, 2, free, NOW + 6_000, 0)
    assert wallet.balance_millipoints == 90_000
    assert (wallet.journal[-1].kind, wallet.journal[-1].delta_millipoints) == (EntryKind.UNSERVED, 0)
    after = wallet.sessions[session.session_id]
    assert (after.free_from_ms, after.free_until_ms) == (NOW + 10_000, NOW + 40_000)


def test_the_end_refunds_once_and_closes_the_record(money: Stores) -> None:
    user_id, session = watching(money)
    settlement = Closing(refund_millipoints=4_000, watched_ms=6_000)
    money.wallets.end(user_id, session, EndReason.KICKED, settlement, NOW + 6_000, "a message")
    wallet = wallet_of(money, user_id)
    assert wallet.balance_millipoints == 94_000
    assert dict(wallet.sessions) == {}
    assert wallet.journal[-1].entry_id == f"{session.session_id}.end"
    record = record_now(money, session.session_id)
    assert (record.active, record.end_reason, record.watched_ms) == (False, EndReason.KICKED, 6_000)
    assert (record.charged_millipoints, record.refunded_millipoints, record.message) == (6_000, 4_000, "a message")
    with pytest.raises(WalletRefused):
        money.wallets.end(user_id, session, EndReason.VIEWER_STOPPED, settlement, NOW + 6_000)
    assert wallet_of(money, user_id).balance_millipoints == 94_000


def test_an_end_against_an_older_state_is_refused(money: Stores) -> None:
    user_id, session = watching(money)
    money.wallets.buy_on_time(user_id, a_beat(session, 2, NOW + 6_000))
    with pytest.raises(WalletRefused):
        money.wallets.end(user_id, session, EndReason.KICKED, Closing(refund_millipoints=1, watched_ms=1), NOW)
    assert session.session_id in wallet_of(money, user_id).sessions


def test_an_ended_session_never_buys_again(money: Stores) -> None:
    user_id, session = watching(money)
    money.wallets.end(user_id, session, EndReason.KICKED, NOTHING, NOW)
    for attempt in (
        lambda: money.wallets.buy_on_time(user_id, a_beat(session, 2, NOW + 6_000)),
        lambda: money.wallets.buy(user_id, session, 2, PURCHASE, NOW + 6_000, 0),
        lambda: money.wallets.start(user_id, session, record_of(user_id, session), SESSIONS_MAX, 0),
    ):
        with pytest.raises(WalletRefused):
            attempt()
    assert wallet_of(money, user_id).balance_millipoints == 90_000


def test_a_full_journal_takes_no_beat_but_room_for_an_end(money: Stores) -> None:
    user_id, session = watching(money, 1_000_000, lease_ms=1_000, charge_millipoints=1_000, charged_millipoints=1_000)
    seq = 1
    while len(wallet_of(money, user_id).journal) < JOURNAL_ENTRIES_MAX:
        seq += 1
        at_ms = wallet_of(money, user_id).sessions[session.session_id].paid_until_ms
        money.wallets.buy_on_time(user_id, a_beat(session, seq, at_ms))
    seen = wallet_of(money, user_id).sessions[session.session_id]
    with pytest.raises(WalletRefused):
        money.wallets.buy_on_time(user_id, a_beat(session, seq + 1, seen.paid_until_ms))
    money.wallets.end(user_id, seen, EndReason.KICKED, NOTHING, seen.paid_until_ms)
    assert [wallet.user_id for wallet in money.wallets.with_full_pages(100)].count(user_id) == 1


def test_pages_hold_what_the_journal_held_and_trimming_is_idempotent(money: Stores) -> None:
    user_id = funded(money, 0)
    for _ in range(8):
        money.wallets.pay(payment(user_id, 10))
    journal = wallet_of(money, user_id).journal
    [entries] = full_pages(journal)
    assert entries == journal[:6]
    page = make_page(initial_state(user_id), entries)
    money.ledger.put_page(user_id, page)
    money.ledger.put_page(user_id, page)
    for _ in range(2):
        money.wallets.trim(user_id, [entry.entry_id for entry in page.entries])
    assert wallet_of(money, user_id).journal == journal[6:]
    assert list(money.ledger.pages(user_id, up_to_version=8, limit=10)) == [page]
    assert list(money.ledger.pages(user_id, up_to_version=0, limit=10)) == []
    ghost = new_user_id()
    money.wallets.trim(ghost, ["x.1"])
    assert money.wallets.get(ghost) is None
