"""Reversals of payments: each takes back once what was paid, at most what the wallet holds, also at once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.config import Settings
from chalicelib.domain.ids import new_session_id, new_user_id
from chalicelib.domain.money.errors import NotReversible, PaymentNotFound
from chalicelib.domain.money.wallets import JOURNAL_ENTRIES_MAX, EntryKind, Payment, reversed_payment
from chalicelib.ports.money.money import WalletRefused
from chalicelib.services.money.ledger import LedgerService
from chalicelib.stores import Stores
from tests.contract.money.wallet_parts import NOW, a_beat, funded, payment, started, wallet_of
from tests.fakes.simple import SetClock

BY = "key:abcdefghijklmnop"


@pytest.fixture
def ledger(money: Stores) -> LedgerService:
    return LedgerService(money.wallets, money.ledger, money.payments, SetClock(NOW))


def paid(money: Stores, user_id: str, millipoints: int = 10_000) -> Payment:
    top_up = replace(payment(user_id, millipoints), source="shop", by_user_id=BY)
    assert money.wallets.pay(top_up)
    return top_up


def reverse(ledger: LedgerService, one: Payment) -> Payment:
    return ledger.reverse(one, by_user_id=BY, note="chargeback")


def test_a_reversal_takes_the_payment_back_once(money: Stores, ledger: LedgerService) -> None:
    top_up = paid(money, user_id := funded(money, 5_000))
    done = reverse(ledger, top_up)
    assert done == reversed_payment(top_up, 15_000, NOW, BY, "chargeback")
    assert (done.reversed_millipoints, done.shortfall_millipoints) == (10_000, 0)
    wallet = wallet_of(money, user_id)
    entry = wallet.journal[-1]
    assert (entry.entry_id, entry.kind, entry.delta_millipoints) == (
        f"r.{top_up.payment_id}",
        EntryKind.REVERSAL,
        -10_000,
    )
    assert (entry.payment_id, entry.note, entry.session_id, entry.seq) == (top_up.payment_id, "chargeback", None, None)
    # Again, with the payment as it was read before and after.
    for one in (top_up, done):
        assert reverse(ledger, one) == done
    assert money.payments.get(top_up.payment_id) == done
    assert wallet_of(money, user_id) == wallet
    assert wallet.balance_millipoints == 5_000
    # The payment itself stays: its id is used up.
    assert not money.wallets.pay(top_up)


def test_a_reversal_takes_no_more_than_there_is_and_counts_as_no_spending(money: Stores, ledger: LedgerService) -> None:
    top_up = paid(money, user_id := funded(money, 0))
    session = started(money, user_id, charge_millipoints=7_000, charged_millipoints=7_000)
    before = wallet_of(money, user_id)
    done = reverse(ledger, top_up)
    assert (done.reversed_millipoints, done.shortfall_millipoints) == (3_000, 7_000)
    wallet = wallet_of(money, user_id)
    assert (wallet.balance_millipoints, wallet.journal[-1].delta_millipoints) == (0, -3_000)
    assert (wallet.day, wallet.daily_left_millipoints) == (before.day, before.daily_left_millipoints)
    assert wallet.sessions == {session.session_id: session}
    # From an empty wallet nothing is taken, and that is a line as well.
    other = paid(money, user_id, 1_000)
    money.wallets.pay(payment(user_id, -1_000))
    done = reverse(ledger, other)
    assert (done.reversed_millipoints, done.shortfall_millipoints) == (0, 1_000)
    [entry] = ledger.entries(user_id, limit=1, cursor=None).items
    assert (entry.kind, entry.delta_millipoints) == (EntryKind.REVERSAL, 0)
    # Points that come later are not taken for it.
    paid(money, user_id, 500)
    assert reverse(ledger, other) == done
    assert wallet_of(money, user_id).balance_millipoints == 500


def test_the_write_holds_against_a_balance_that_has_changed(money: Stores) -> None:
    top_up = paid(money, user_id := funded(money, 0))
    session = started(money, user_id)
    assert wallet_of(money, user_id).balance_millipoints == 0
    for balance in (1, 10_000):
        with pytest.raises(WalletRefused):
            money.wallets.reverse(reversed_payment(top_up, balance, NOW, BY, ""))
    # A shortfall holds for the exact balance only: a refund in between must not escape.
    paid(money, user_id, 20_000)
    money.wallets.buy_on_time(user_id, a_beat(session, 2, NOW + 6_000))
    with pytest.raises(WalletRefused):
        money.wallets.reverse(reversed_payment(top_up, 9_999, NOW, BY, ""))
    assert money.payments.get(top_up.payment_id) == top_up
    assert money.wallets.reverse(reversed_payment(top_up, 10_000, NOW, BY, ""))


def test_only_points_that_were_added_can_be_taken_back(money: Stores, ledger: LedgerService) -> None:
    user_id = funded(money, 50_000)
    removed = payment(user_id, -1_000)
    adjusted = replace(payment(user_id, 1_000), session_id=new_session_id())
    for one in (removed, adjusted):
        with pytest.raises(NotReversible):
            reverse(ledger, one)
    unknown = payment(user_id, 1_000)
    with pytest.raises(PaymentNotFound):
        reverse(ledger, unknown)
    with pytest.raises(PaymentNotFound):
        ledger.payment(unknown.payment_id)
    assert not money.wallets.reverse(reversed_payment(payment(new_user_id(), 1), 1, NOW, BY, ""))
    assert wallet_of(money, user_id).balance_millipoints == 50_000
    assert money.payments.get(unknown.payment_id) is None


def test_a_full_journal_makes_room(money: Stores, ledger: LedgerService) -> None:
    user_id = funded(money, 0)
    payments = [paid(money, user_id, 10) for _ in range(JOURNAL_ENTRIES_MAX + 6)]
    with pytest.raises(WalletRefused):
        money.wallets.reverse(reversed_payment(payments[0], 300, NOW, BY, ""))
    assert reverse(ledger, payments[0]).reversed_millipoints == 10
    assert wallet_of(money, user_id).balance_millipoints == 10 * (len(payments) - 1)


def test_a_payment_and_its_reversals_at_once(money: Stores, ledger: LedgerService) -> None:
    """Whatever comes first: the payment counts once, its reversal at most once, and never before it."""
    user_id = funded(money, 3_000)
    top_up = replace(payment(user_id, 10_000), by_user_id=BY)

    def pay(_: int) -> None:
        money.wallets.pay(top_up)

    def take(_: int) -> None:
        with suppress(PaymentNotFound):
            reverse(ledger, ledger.payment(top_up.payment_id))

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(work, n) for n in range(4) for work in (pay, take, take)]
        for each in done:
            # The payment met another write, and its sender would repeat it.
            with suppress(WalletRefused):
                each.result()
    money.wallets.pay(top_up)
    kinds = [entry.kind for entry in wallet_of(money, user_id).journal]
    assert kinds.count(EntryKind.CREDIT) == 2
    taken = kinds.count(EntryKind.REVERSAL)
    assert taken <= 1 and (not taken or kinds.index(EntryKind.REVERSAL) == 2)
    assert wallet_of(money, user_id).balance_millipoints == 13_000 - 10_000 * taken
    assert reverse(ledger, ledger.payment(top_up.payment_id)).reversed_millipoints == 10_000
    assert wallet_of(money, user_id).balance_millipoints == 3_000


def test_payments_from_before_these_fields_are_read(module_settings: Settings) -> None:
    money = Stores(module_settings)
    old = payment(funded(money, 0), 10)
    row = {name: value for name, value in vars(old).items() if name != "source" and value is not None}
    table = money.settings.table_prefix + "payments"
    client("dynamodb").put_item(TableName=table, Item=to_row(row))
    assert money.payments.get(old.payment_id) == old
    assert old.source == "operator"
