"""The money totals of a whole stage: with what active sessions have paid, they are the sum of all ledgers."""

from collections.abc import Iterator
from typing import Any

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import from_row
from chalicelib.bootstrap import Container
from chalicelib.domain.money.totals import MoneyTotals
from tests.faults.oracle.registry import check_counts


def check_totals(services: Container) -> None:
    """Raise `AssertionError` unless the totals of all days are the ledgers', once all ended sessions are reconciled.

    The ledger of each wallet is its balance, which another invariant checks.
    """
    check_counts["the_money_totals_are_the_ledgers"] += 1
    prefix = services.settings.table_prefix
    months = {row["month"] for row in _rows(prefix + "totals")}
    total = MoneyTotals()
    for month in months:
        for each in services.stores.totals.of_month(month).values():
            total = total.plus(each)
    balances = active = 0
    for row in _rows(prefix + "wallets"):
        wallet = services.stores.wallets.get(row["user_id"])
        assert wallet is not None
        balances += wallet.balance_millipoints
        for session in wallet.sessions.values():
            record = services.stores.sessions.get(session.session_id)
            assert record is not None
            active += session.charged_millipoints + record.debt_payment_millipoints
    found = total.ledger_millipoints - active
    assert found == balances, f"the_money_totals_are_the_ledgers: {found}, not {balances}: {total}, active {active}"


def _rows(table: str) -> Iterator[dict[str, Any]]:
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    for page in pages:
        yield from map(from_row, page["Items"])
