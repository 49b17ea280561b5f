"""The money totals of a whole stage: with what active sessions have paid, they are the sum of all ledgers."""

from collections.abc import Iterator

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import Row, from_row, known
from chalicelib.adapters.money import wallet_item
from chalicelib.bootstrap import Container
from chalicelib.domain.money.totals import MoneyTotals
from tests.faults.oracle.registry import check_counts


def check_totals(services: Container) -> None:
    """Raise `AssertionError` unless the totals of all days are the ledgers', once all ended sessions are reconciled.

    The ledger of each wallet is its balance, which another invariant checks.
    """
    check_counts["the_money_totals_are_the_ledgers"] += 1
    prefix = services.settings.table_prefix
    total = MoneyTotals()
    for row in _rows(prefix + "totals"):
        total = total.plus(MoneyTotals(**known(MoneyTotals, from_row(row))))
    balances = active = 0
    # By scans, so that the number of requests does not depend on earlier rounds of the stage.
    for wallet in map(wallet_item.wallet, _rows(prefix + "wallets")):
        balances += wallet.balance_millipoints
        for session in wallet.sessions.values():
            record = services.stores.sessions.get(session.session_id)
            assert record is not None
            active += session.charged_millipoints + record.debt_payment_millipoints
    found = total.ledger_millipoints - active
    assert found == balances, f"the_money_totals_are_the_ledgers: {found}, not {balances}: {total}, active {active}"


def _rows(table: str) -> Iterator[Row]:
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    for page in pages:
        yield from page["Items"]
