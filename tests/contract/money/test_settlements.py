"""The contract of settlements: the wallet's entry and the record's mark happen together, once, or not at all."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import Closing
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.settlement import Settlement, SettlementWrite, charge_of
from chalicelib.domain.money.wallets import JOURNAL_ENTRIES_MAX, MS_PER_DAY, PAGE_ENTRIES, EntryKind, Wallet, utc_day
from chalicelib.ports.money.money import WalletRefused
from chalicelib.stores import Stores
from tests.contract.money.test_adjustments import adjustment
from tests.contract.money.wallet_parts import NOW, payment, record_now, started, wallet_of, watching

AT = NOW + 90_000


def ended(money: Stores, millipoints: int = 100_000, **changes: Any) -> SessionRecord:
    """A session that paid 10 points, of which 4 are its reserve, in a wallet that held `millipoints`."""
    user_id, session = watching(money, millipoints, **changes)
    closing = Closing(refund_millipoints=0, watched_ms=6_000, reserved_millipoints=4_000)
    money.wallets.end(user_id, session, EndReason.VIEWER_STOPPED, closing, NOW + 6_000)
    return record_now(money, session.session_id)


def charge(millipoints: int, debt: int = 0, **changes: Any) -> SettlementWrite:
    due = Settlement(media_ms=millipoints, millipoints=-millipoints)
    write = SettlementWrite(at_ms=AT, settlement=due, delta_millipoints=debt - millipoints, debt_millipoints=debt)
    return replace(write, **changes)


def credit(millipoints: int, at_ms: int = AT) -> SettlementWrite:
    due = Settlement(media_ms=-millipoints, millipoints=millipoints)
    return SettlementWrite(at_ms=at_ms, settlement=due, delta_millipoints=millipoints, credited_millipoints=millipoints)


def settle(money: Stores, record: SessionRecord, written: SettlementWrite, seen: Wallet | None = None) -> bool:
    return money.wallets.settle(seen or wallet_of(money, record.user_id), record, written)


def assert_refused(
    money: Stores, record: SessionRecord, written: SettlementWrite, seen: Wallet | None = None, raises: bool = True
) -> None:
    """The settlement is refused and leaves no trace."""
    before = wallet_of(money, record.user_id), record_now(money, record.session_id)
    if raises:
        with pytest.raises(WalletRefused):
            settle(money, record, written, seen)
    else:
        assert not settle(money, record, written, seen)
    assert (wallet_of(money, record.user_id), record_now(money, record.session_id)) == before


def empty_balance(money: Stores, user_id: str, but: int = 0) -> None:
    assert money.wallets.pay(payment(user_id, but - wallet_of(money, user_id).balance_millipoints))


def test_a_charge_is_written_with_the_mark_and_once(money: Stores) -> None:
    record = ended(money)
    before = wallet_of(money, record.user_id)
    assert settle(money, record, charge(2_500))
    wallet, settled = wallet_of(money, record.user_id), record_now(money, record.session_id)
    assert (wallet.balance_millipoints, wallet.debt_millipoints, wallet.version) == (87_500, 0, before.version + 1)
    assert wallet.daily_left_millipoints == before.daily_left_millipoints - 2_500
    entry = wallet.journal[-1]
    assert (entry.entry_id, entry.kind) == (f"{record.session_id}.settled", EntryKind.SERVED_AHEAD)
    assert (entry.session_id, entry.stream_id, entry.seq) == (record.session_id, record.stream_id, None)
    assert (entry.at_ms, entry.delta_millipoints) == (AT, -2_500)
    marked = {"settled_at_ms": AT, "settled_ms": 2_500, "settled_millipoints": -2_500, "settled_debt_millipoints": 0}
    assert settled == replace(record, **marked, charged_millipoints=12_500)
    for seen in (record, settled):
        for again in (charge(2_500), credit(2_500), charge(0)):
            assert_refused(money, seen, again, raises=False)


def test_a_credit_is_written_with_the_mark_and_counts_to_its_day(money: Stores) -> None:
    record = ended(money)
    before = wallet_of(money, record.user_id)
    assert settle(money, record, credit(4_000))
    wallet, settled = wallet_of(money, record.user_id), record_now(money, record.session_id)
    assert (wallet.balance_millipoints, wallet.credit_day, wallet.credited_millipoints) == (94_000, utc_day(AT), 4_000)
    assert wallet.daily_left_millipoints == before.daily_left_millipoints + 4_000
    assert wallet.journal[-1].kind is EntryKind.UNSERVED_CREDIT
    assert (settled.settled_ms, settled.settled_millipoints, settled.charged_millipoints) == (-4_000, 4_000, 6_000)
    assert_refused(money, settled, credit(4_000), raises=False)


@pytest.mark.parametrize("media_ms", [0, -9_000])
def test_nothing_due_and_a_withheld_credit_only_mark_the_record(money: Stores, media_ms: int) -> None:
    record = ended(money)
    before = wallet_of(money, record.user_id)
    assert settle(money, record, SettlementWrite(at_ms=AT, settlement=Settlement(media_ms=media_ms)))
    assert wallet_of(money, record.user_id) == before
    marked = {"settled_at_ms": AT, "settled_ms": media_ms, "settled_millipoints": 0, "settled_debt_millipoints": 0}
    assert record_now(money, record.session_id) == replace(record, **marked)
    assert_refused(money, record, charge(1), raises=False)


@pytest.mark.parametrize("written", [charge(2_500), credit(2_500), charge(0)])
def test_a_session_that_was_adjusted_meanwhile_is_not_settled(money: Stores, written: SettlementWrite) -> None:
    record = ended(money)
    assert money.wallets.pay(adjustment(record, 3_000), record)
    assert_refused(money, record, written, raises=False)
    assert settle(money, record_now(money, record.session_id), written)


def test_a_cost_other_than_as_read_is_not_settled(money: Stores) -> None:
    record = ended(money)
    assert_refused(money, replace(record, charged_millipoints=9_999), charge(1), raises=False)


def test_adjustments_after_a_settlement_stay_within_the_new_cost(money: Stores) -> None:
    record = ended(money)
    assert settle(money, record, credit(4_000))
    settled = record_now(money, record.session_id)
    assert settled.adjustable_millipoints == (0, 6_000)
    assert money.wallets.pay(adjustment(record, 6_000), settled)
    assert wallet_of(money, record.user_id).balance_millipoints == 100_000


def test_a_charge_needs_its_amount_in_the_balance(money: Stores) -> None:
    record = ended(money)
    empty_balance(money, record.user_id, but=2_499)
    assert_refused(money, record, charge(2_500))
    assert money.wallets.pay(payment(record.user_id, 1))
    assert settle(money, record, charge(2_500))
    assert wallet_of(money, record.user_id).balance_millipoints == 0


@pytest.mark.parametrize("rest", [0, 700])
def test_a_debt_is_what_an_emptied_balance_cannot_pay(money: Stores, rest: int) -> None:
    record = ended(money)
    before = wallet_of(money, record.user_id)
    empty_balance(money, record.user_id, but=rest)
    for other in (rest - 1, rest + 1):
        assert_refused(money, record, charge(2_500, debt=2_500 - other))
    assert settle(money, record, charge(2_500, debt=2_500 - rest))
    wallet, settled = wallet_of(money, record.user_id), record_now(money, record.session_id)
    assert (wallet.balance_millipoints, wallet.debt_millipoints) == (0, 2_500 - rest)
    # All of it counts to the day; only what was paid counts to the session's cost.
    assert wallet.daily_left_millipoints == before.daily_left_millipoints - 2_500
    assert (settled.settled_millipoints, settled.settled_debt_millipoints) == (-2_500, 2_500 - rest)
    assert settled.charged_millipoints == 10_000 + rest
    assert wallet.journal[-1].delta_millipoints == -rest


def test_debts_add_up(money: Stores) -> None:
    first = ended(money)
    session = started(money, first.user_id)
    nothing = Closing(refund_millipoints=0, watched_ms=10_000)
    money.wallets.end(first.user_id, session, EndReason.VIEWER_STOPPED, nothing, NOW)
    empty_balance(money, first.user_id)
    for record, debt in ((first, 300), (record_now(money, session.session_id), 450)):
        assert settle(money, record, charge(debt, debt=debt))
    assert wallet_of(money, first.user_id).debt_millipoints == 750


def test_a_waived_wallet_gets_no_debt_and_is_settled_without(money: Stores) -> None:
    record = ended(money)
    empty_balance(money, record.user_id, but=300)
    money.wallets.waive_debt(record.user_id)
    assert wallet_of(money, record.user_id).debt_waived
    assert_refused(money, record, charge(2_500, debt=2_200))
    assert settle(money, record, charge(300))
    assert wallet_of(money, record.user_id).debt_millipoints == 0


@pytest.mark.parametrize("written", [charge(100), charge(1, debt=1), credit(100)])
def test_a_settlement_waits_for_its_day(money: Stores, written: SettlementWrite) -> None:
    record = ended(money, millipoints=10_000)
    tomorrow = replace(written, at_ms=AT + MS_PER_DAY)
    assert money.wallets.pay(payment(record.user_id, 100))
    if written.debt_millipoints:
        empty_balance(money, record.user_id)
    assert_refused(money, record, tomorrow)
    money.wallets.begin_day(record.user_id, utc_day(tomorrow.at_ms))
    assert settle(money, record, tomorrow)


def another_of(money: Stores, user_id: str) -> SessionRecord:
    """A further session of the user that paid 10 points and ended."""
    session = started(money, user_id)
    money.wallets.end(
        user_id, session, EndReason.VIEWER_STOPPED, Closing(refund_millipoints=0, watched_ms=10_000), NOW + 6_000
    )
    return record_now(money, session.session_id)


def test_a_credit_needs_the_credits_of_its_day_as_seen(money: Stores) -> None:
    first = ended(money)
    second, third = another_of(money, first.user_id), another_of(money, first.user_id)
    seen = wallet_of(money, first.user_id)
    assert settle(money, first, credit(1_000), seen)
    assert_refused(money, second, credit(1_000), seen)
    assert settle(money, second, credit(500))
    assert wallet_of(money, first.user_id).credited_millipoints == 1_500
    # The next day counts from 0, and a clock behind it counts no more to the day before.
    money.wallets.begin_day(first.user_id, utc_day(AT) + 1)
    late = credit(200, AT + MS_PER_DAY)
    assert settle(money, third, late)
    wallet = wallet_of(money, first.user_id)
    assert (wallet.credit_day, wallet.credited_millipoints) == (utc_day(AT) + 1, 200)
    fourth = ended(money)
    money.wallets.begin_day(fourth.user_id, utc_day(AT) + 1)
    assert settle(money, fourth, late)
    fifth = record_of_tomorrow(money, fourth.user_id)
    assert_refused(money, fifth, credit(100))


def test_a_reserve_that_comes_back_is_no_credit_of_its_day(money: Stores) -> None:
    record = ended(money)
    assert settle(money, record, replace(credit(4_500), credited_millipoints=500))
    wallet = wallet_of(money, record.user_id)
    assert (wallet.balance_millipoints, wallet.credited_millipoints) == (94_500, 500)


def record_of_tomorrow(money: Stores, user_id: str) -> SessionRecord:
    session = started(money, user_id, started_at_ms=NOW + MS_PER_DAY)
    money.wallets.end(user_id, session, EndReason.KICKED, Closing(refund_millipoints=0, watched_ms=1), NOW + MS_PER_DAY)
    return record_now(money, session.session_id)


def test_a_credit_fits_into_the_wallet(money: Stores) -> None:
    record = ended(money)
    most = MILLIPOINTS_MAX - wallet_of(money, record.user_id).balance_millipoints
    assert money.wallets.pay(payment(record.user_id, most - 3_999))
    assert_refused(money, record, credit(4_000))
    assert settle(money, record, credit(3_999))


def test_a_charge_keeps_to_the_rest_of_the_day_as_it_is_when_written(money: Stores) -> None:
    """Another session buys a lease between the settlement's read and its write."""
    record = ended(money)
    seen = capped(money, record.user_id, left=15_000)
    written = charge_of(record, Settlement(media_ms=30_000, millipoints=-30_000), seen, AT)
    assert (written.settlement.millipoints, written.takes_rest) == (-23_000, True)
    less = charge_of(record, Settlement(media_ms=20_000, millipoints=-20_000), seen, AT)
    session = started(money, record.user_id)
    for too_much in (written, less):
        assert_refused(money, record, too_much)
    money.wallets.end(record.user_id, session, EndReason.KICKED, Closing(refund_millipoints=10_000, watched_ms=0), NOW)
    capped(money, record.user_id, left=15_001)
    # With more of the day left, a charge that was cut is too small.
    assert_refused(money, record, written)
    assert settle(money, record, less)
    assert wallet_of(money, record.user_id).daily_left_millipoints == 15_001 - 20_000


def test_a_charge_within_the_allowance_passes_any_cap(money: Stores) -> None:
    record = ended(money)
    seen = capped(money, record.user_id, left=-5_000)
    written = charge_of(record, Settlement(media_ms=30_000, millipoints=-30_000), seen, AT)
    assert written.settlement.millipoints == -8_000
    assert settle(money, record, written)
    assert wallet_of(money, record.user_id).daily_left_millipoints == -13_000


def test_a_charge_of_what_the_end_gave_back_passes_any_cap(money: Stores) -> None:
    user_id, session = watching(money, 100_000)
    closing = Closing(refund_millipoints=2_000, watched_ms=6_000, reserved_millipoints=4_000)
    money.wallets.end(user_id, session, EndReason.VIEWER_STOPPED, closing, NOW + 6_000)
    record = record_now(money, session.session_id)
    seen = capped(money, user_id, left=-5_000)
    written = charge_of(record, Settlement(media_ms=30_000, millipoints=-30_000), seen, AT)
    assert written.settlement.millipoints == -10_000
    capped(money, user_id, left=2_001)
    # With more of the day left than the end gave back, the charge is too small.
    assert_refused(money, record, written)
    capped(money, user_id, left=-7_000)
    assert settle(money, record, written)
    assert wallet_of(money, user_id).daily_left_millipoints == -17_000


def capped(money: Stores, user_id: str, left: int) -> Wallet:
    """Set the daily cap so that this much of the day is left."""
    seen = wallet_of(money, user_id)
    cap = seen.daily_cap_millipoints + left - seen.daily_left_millipoints
    assert money.wallets.set_daily_cap(seen, cap)
    return wallet_of(money, user_id)


def full(money: Stores) -> SessionRecord:
    """A session in a wallet whose journal takes nothing more."""
    record = ended(money)
    while len(wallet_of(money, record.user_id).journal) < JOURNAL_ENTRIES_MAX + PAGE_ENTRIES:
        assert money.wallets.pay(payment(record.user_id, 1))
    return record


@pytest.mark.parametrize("written", [charge(100), credit(100)])
def test_a_full_journal_takes_no_settlement_but_a_mark(money: Stores, written: SettlementWrite) -> None:
    record = full(money)
    assert_refused(money, record, written)
    assert settle(money, record, charge(0))


@pytest.mark.parametrize("change", [lambda m, u: empty_balance(m, u), lambda m, u: m.wallets.pay(payment(u, 1))])
def test_a_refused_settlement_returns_the_wallet(money: Stores, change: Callable[[Stores, str], object]) -> None:
    record = ended(money, millipoints=12_000)
    written = charge(2_500, debt=500)
    change(money, record.user_id)
    with pytest.raises(WalletRefused) as refused:
        settle(money, record, written)
    assert refused.value.wallet == wallet_of(money, record.user_id)
