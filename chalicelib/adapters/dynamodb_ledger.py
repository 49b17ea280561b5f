"""The ledger's pages and the payments: both are written once and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.adapters.aws import client, translated
from chalicelib.adapters.dynamodb import from_row, get_item, to_row
from chalicelib.adapters.wallet_item import entry, entry_map
from chalicelib.domain.wallets import Page, Payment


class DynamoLedger:
    """The port `Ledger` over the table `ledger`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "ledger"

    def put_page(self, user_id: str, page: Page) -> None:
        """See the port. No condition: a page's content is fixed, so a second write is the same write."""
        entries = [
            to_row({**entry_map(each), "e": each.entry_id, "v": each.version, "d": each.delta_millipoints})
            for each in page.entries
        ]
        row = to_row({"user_id": user_id, "first_version": page.first_version})
        with translated():
            client("dynamodb").put_item(
                TableName=self._table, Item={**row, "entries": {"L": [{"M": e} for e in entries]}}
            )

    def pages(self, user_id: str, *, up_to_version: int, limit: int) -> Sequence[Page]:
        """See the port."""
        with translated():
            answer = client("dynamodb").query(
                TableName=self._table,
                KeyConditionExpression="user_id = :user AND first_version <= :version",
                ExpressionAttributeValues=to_row({":user": user_id, ":version": up_to_version}),
                ConsistentRead=True,
                ScanIndexForward=False,
                Limit=limit,
            )
        return [_page(from_row(row)) for row in answer.get("Items", [])]


class DynamoPayments:
    """The port `Payments` over the table `payments`; they are written by `DynamoWallets.pay`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "payments"

    def get(self, payment_id: str) -> Payment | None:
        """See the port."""
        row = get_item(self._table, {"payment_id": payment_id})
        return Payment(**row) if row else None


def _page(row: dict[str, Any]) -> Page:
    return Page(
        first_version=row["first_version"],
        entries=tuple(entry(values["e"], values["v"], values["d"], values) for values in row["entries"]),
    )
