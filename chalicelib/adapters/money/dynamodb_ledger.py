"""The ledger's pages, which are written once, and the payments, which change only by their reversal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.adapters.dynamodb import all_rows, call, from_row, get_item, get_items, known, parameters
from chalicelib.adapters.list_keys import order_at
from chalicelib.adapters.money.wallet_item import entry, entry_map
from chalicelib.domain.money.wallets import Page, Payment


class DynamoLedger:
    """The port `Ledger` over the table `ledger`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "ledger"

    def put_page(self, user_id: str, page: Page) -> None:
        """Write without a condition: a page's content is fixed, so a second write is the same."""
        entries = [
            {**entry_map(each), "e": each.entry_id, "v": each.version, "d": each.delta_millipoints}
            for each in page.entries
        ]
        call("put_item", self._table, item={**vars(page), "user_id": user_id, "entries": entries})

    def pages(self, user_id: str, *, up_to_version: int, limit: int) -> Sequence[Page]:
        return self._query(user_id, "first_version <= :version", up_to_version, limit, forward=False)

    def pages_from(self, user_id: str, *, from_version: int, limit: int) -> Sequence[Page]:
        return self._query(user_id, "first_version >= :version", from_version, limit, forward=True)

    def _query(self, user_id: str, which: str, version: int, limit: int, *, forward: bool) -> Sequence[Page]:
        request = parameters(
            self._table,
            KeyConditionExpression=f"user_id = :user AND {which}",
            values={":user": user_id, ":version": version},
            ConsistentRead=True,
            ScanIndexForward=forward,
            Limit=limit,
        )
        return [_page(from_row(row)) for row in all_rows("query", request, limit)]


class DynamoPayments:
    """The port `Payments` over the table `payments`, which `DynamoWallets.pay` writes."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "payments"

    def get(self, payment_id: str) -> Payment | None:
        row = get_item(self._table, {"payment_id": payment_id})
        return Payment(**known(Payment, row)) if row else None

    def newest_of_user(self, user_id: str, *, until_ms: int, limit: int) -> Sequence[Payment]:
        """Read the ids from the index, which has keys only, and then the rows."""
        request = parameters(
            self._table,
            IndexName="by_user",
            # The places of a millisecond are after its number.
            KeyConditionExpression="user_id = :user AND list_order < :after",
            values={":user": user_id, ":after": order_at(until_ms + 1)},
            ScanIndexForward=False,
            Limit=limit,
        )
        ids = [from_row(row)["payment_id"] for row in all_rows("query", request, limit)]
        rows = map(from_row, get_items(self._table, "payment_id", ids))
        return sorted((Payment(**known(Payment, row)) for row in rows), key=lambda each: -each.at_ms)


def _page(row: dict[str, Any]) -> Page:
    entries = tuple(entry(values["e"], values["v"], values["d"], values) for values in row["entries"])
    return Page(**{**known(Page, row), "entries": entries})
