"""The contract of debts: the next start that costs something pays all of a debt, or nothing at all happens."""

from typing import Any

import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import from_row, to_row
from chalicelib.adapters.money import wallet_item
from chalicelib.config import Settings
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.errors import DebtOpen
from chalicelib.domain.money.lease import Closing
from chalicelib.domain.money.sessions import ActiveSession
from chalicelib.domain.money.wallets import PAGE_ENTRIES, EntryKind, Wallet, full_pages
from chalicelib.ports.money.money import WalletRefused
from chalicelib.stores import Stores
from tests.contract.money.billing_services import Services, ended_by
from tests.contract.money.test_settlements import charge
from tests.contract.money.wallet_parts import (
    NOW,
    SESSIONS_MAX,
    payment,
    record_now,
    record_of,
    wallet_of,
    watching,
)
from tests.fakes.money.sessions import active_session

DEBT = 2_500


def in_debt(money: Stores, balance: int, changes: int = 0) -> str:
    """A user whose last session became a debt, who then paid this balance in `changes` payments."""
    user_id, session = watching(money, 10_000)
    money.wallets.end(user_id, session, EndReason.VIEWER_STOPPED, Closing(refund_millipoints=0, watched_ms=9_000), NOW)
    assert money.wallets.settle(
        wallet_of(money, user_id), record_now(money, session.session_id), charge(DEBT, debt=DEBT)
    )
    for _ in range(changes - 1):
        assert money.wallets.pay(payment(user_id, 1))
    if balance:
        assert money.wallets.pay(payment(user_id, balance - max(0, changes - 1)))
    return user_id


def start(money: Stores, user_id: str, debt: int = DEBT, **changes: Any) -> ActiveSession:
    session = active_session(NOW, session_id=new_session_id(), **changes)
    money.wallets.start(user_id, session, record_of(user_id, session), SESSIONS_MAX, 0, debt)
    return session


def assert_refused(money: Stores, user_id: str, debt: int, **changes: Any) -> None:
    before = wallet_of(money, user_id)
    with pytest.raises(WalletRefused):
        start(money, user_id, debt, **changes)
    assert wallet_of(money, user_id) == before


def test_a_start_pays_the_whole_debt_before_its_lease(money: Stores) -> None:
    user_id = in_debt(money, 50_000)
    before = wallet_of(money, user_id)
    session = start(money, user_id)
    wallet = wallet_of(money, user_id)
    assert (wallet.balance_millipoints, wallet.debt_millipoints) == (50_000 - DEBT - 10_000, 0)
    # A debt counted to the day of its settlement.
    assert wallet.daily_left_millipoints == before.daily_left_millipoints - 10_000
    paid, lease = wallet.journal[-2:]
    assert (paid.entry_id, paid.kind, paid.delta_millipoints) == (
        f"d.{session.session_id}",
        EntryKind.DEBT_PAYMENT,
        -DEBT,
    )
    assert (paid.session_id, paid.stream_id, paid.seq, paid.at_ms) == (None, None, None, NOW)
    assert (lease.entry_id, lease.delta_millipoints) == (f"{session.session_id}.1", -10_000)
    assert [each.version for each in wallet.journal] == list(range(1, wallet.version + 1))
    assert wallet.version == before.version + 2


@pytest.mark.parametrize("debt", [0, DEBT - 1, DEBT + 1])
def test_another_debt_than_the_wallet_s_is_refused(money: Stores, debt: int) -> None:
    assert_refused(money, in_debt(money, 50_000), debt)


def test_a_debt_that_was_paid_meanwhile_is_not_paid_again(money: Stores) -> None:
    user_id = in_debt(money, 50_000)
    start(money, user_id)
    assert_refused(money, user_id, DEBT)
    start(money, user_id, 0)


def test_the_balance_covers_debt_and_lease(money: Stores) -> None:
    assert_refused(money, in_debt(money, DEBT + 9_999), DEBT)
    user_id = in_debt(money, DEBT + 10_000)
    start(money, user_id)
    assert wallet_of(money, user_id).balance_millipoints == 0


def test_a_short_first_lease_takes_the_exact_rest_after_the_debt(money: Stores) -> None:
    for charged in (3_999, 4_001):
        assert_refused(money, in_debt(money, DEBT + 4_000), DEBT, charged_millipoints=charged)
    user_id = in_debt(money, DEBT + 4_000)
    start(money, user_id, charged_millipoints=4_000)
    assert wallet_of(money, user_id).balance_millipoints == 0


def test_a_free_session_starts_in_spite_of_a_debt_and_pays_none(money: Stores) -> None:
    user_id = in_debt(money, 50_000)
    free = {"charge_millipoints": 0, "charged_millipoints": 0, "rate_millipoints_per_minute": 0}
    start(money, user_id, 0, **free)
    assert wallet_of(money, user_id).debt_millipoints == DEBT


@pytest.mark.parametrize(("changes", "split"), [(1, True), (2, False)])
def test_a_page_boundary_may_be_between_debt_and_lease(money: Stores, changes: int, split: bool) -> None:
    user_id = in_debt(money, 50_000, changes)
    session = start(money, user_id)
    [page] = full_pages(wallet_of(money, user_id).journal)
    names = [f"d.{session.session_id}", f"{session.session_id}.1"]
    [debt, lease] = [entry.version for entry in wallet_of(money, user_id).journal if entry.entry_id in names]
    assert (debt + 1, debt == PAGE_ENTRIES) == (lease, split)
    assert [entry.version for entry in page] == list(range(1, PAGE_ENTRIES + 1))


def test_waiving_clears_a_debt_and_may_be_repeated(money: Stores) -> None:
    user_id = in_debt(money, 50_000)
    for _ in range(2):
        money.wallets.waive_debt(user_id)
        wallet = wallet_of(money, user_id)
        assert (wallet.debt_millipoints, wallet.debt_waived, wallet.balance_millipoints) == (0, True, 50_000)
    start(money, user_id, 0)
    # Nor does it create a wallet.
    money.wallets.waive_debt("u_" + "z" * 20)
    assert money.wallets.get("u_" + "z" * 20) is None


def test_a_start_with_a_debt_beyond_the_balance_takes_nothing(services: Services) -> None:
    user_id = in_debt(services.stores, DEBT - 1)
    before = services.ledger.wallet(user_id)
    with pytest.raises(DebtOpen) as refused:
        services.open(user_id)
    assert refused.value.extra["debt_millipoints"] == DEBT
    assert refused.value.extra["balance_millipoints"] == DEBT - 1
    assert services.ledger.wallet(user_id) == before
    # With nothing beside the debt there is no lease to buy, and the debt stays as well.
    services.credit(user_id, 1)
    with ended_by(EndReason.BALANCE_EXHAUSTED):
        services.open(user_id)
    assert services.ledger.wallet(user_id).debt_millipoints == DEBT
    services.credit(user_id, 4_000)
    beat = services.open(user_id)
    assert (beat.charged_millipoints, beat.wallet.balance_millipoints, beat.wallet.debt_millipoints) == (4_000, 0, 0)
    assert services.ledger_sum(user_id) == 0


def test_running_sessions_continue_beside_a_debt(services: Services) -> None:
    playback = services.watching(20_000)
    other = services.open(playback.user_id).session.session_id
    ended = services.billing.end(playback.user_id, other, EndReason.KICKED)
    wallet = services.ledger.wallet(playback.user_id)
    services.stores.wallets.pay(payment(playback.user_id, -wallet.balance_millipoints))
    wallet = services.ledger.wallet(playback.user_id)
    written = charge(DEBT, debt=DEBT, at_ms=services.clock.now_ms())
    assert services.stores.wallets.settle(wallet, ended, written)
    services.credit(playback.user_id, 10_000)
    assert playback.beat(2, after_ms=6_000).charged_millipoints == 10_000
    assert services.ledger.wallet(playback.user_id).debt_millipoints == DEBT


def test_items_from_before_debts_read_and_work(module_settings: Settings) -> None:
    """Wallets and sessions that were written before there were settlements have none of their attributes."""
    money = Stores(module_settings)
    user_id, session = watching(money)
    table = module_settings.table_prefix + "wallets"
    row = from_row(client("dynamodb").get_item(TableName=table, Key=to_row({"user_id": user_id}))["Item"])
    later = {"db", "dw", "cd", "cs"}
    assert later.isdisjoint(row) and {"lq", "lp"}.isdisjoint(row["ss"][session.session_id])
    wallet = wallet_item.wallet(to_row(row))
    assert wallet == Wallet(**{**vars(wallet), "debt_millipoints": 0, "credited_millipoints": 0, "debt_waived": False})
    assert wallet.sessions[session.session_id].price_of(1) == 10_000
    # A record that ended before settlements has no reserve and awaits none.
    records = module_settings.table_prefix + "playback_sessions"
    names = ("reserved_millipoints", "budget_millipoints", "in_outage")
    money.wallets.end(user_id, session, EndReason.KICKED, Closing(refund_millipoints=0, watched_ms=1), NOW)
    client("dynamodb").update_item(
        TableName=records,
        Key=to_row({"session_id": session.session_id}),
        UpdateExpression="REMOVE " + ", ".join(names),
    )
    record = record_now(money, session.session_id)
    assert (record.reserved_millipoints, record.budget_millipoints, record.settled_at_ms) == (None, 0, None)
