"""The list of payments: each filter is answered from an index of `payments`."""

from __future__ import annotations

from chalicelib.adapters.dynamodb import ROWS_AT_ONCE, ROWS_MAX, get_all_items, known, to_cursor
from chalicelib.adapters.list_keys import REFERENCE_CHARS, order_at, order_of
from chalicelib.adapters.ordered_index import ORDER, IndexRow, OrderedIndex, cut, months_back, place_of
from chalicelib.domain.ids import PAYMENT_ID
from chalicelib.domain.money.lists import TIME_MS_MAX, PaymentFilter
from chalicelib.domain.money.wallets import Payment
from chalicelib.ports.common import ListPage

# After every payment id with the same beginning.
AFTER_ALL = "~"


class DynamoPaymentLists:
    """The port `PaymentLists`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "payments"
        self._by_month = self._newest_first("by_month", "list_key")
        self._by_user = self._newest_first("by_user", "user_id")
        self._by_source = self._newest_first("by_source", "source")
        self._by_reference = OrderedIndex(
            table=self._table, name="by_reference", hash_key="reference_key", range_key="payment_id", descending=False
        )

    def page(self, wanted: PaymentFilter, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[Payment]:
        """Read payments of one index until enough of them fit the other filters, `ROWS_MAX` at most."""
        found: list[Payment] = []
        looked_at, at_once = 0, limit
        while True:
            keys = self._keys(wanted, now_ms, at_once, cursor)
            found += [payment for payment in self._payments(keys) if wanted.fits(payment)]
            looked_at, cursor = looked_at + at_once, keys.next_cursor
            if len(found) > limit:
                cursor = to_cursor(_place(wanted, found[limit]))
                del found[limit:]
            if cursor is None or len(found) == limit or looked_at >= ROWS_MAX or not keys.items:
                return ListPage(items=found, next_cursor=cursor)
            at_once = ROWS_AT_ONCE

    def _keys(self, wanted: PaymentFilter, now_ms: int, limit: int, cursor: str | None) -> ListPage[IndexRow]:
        if wanted.begins is not None and wanted.is_by_id:
            between = max(wanted.begins, place_of(cursor, PAYMENT_ID) or ""), wanted.begins + AFTER_ALL
            rows = self._by_reference.read(wanted.begins[:REFERENCE_CHARS], between, limit + 1)
            return cut(rows, limit, "payment_id", dict)
        high = place_of(cursor, ORDER) or order_at(TIME_MS_MAX if wanted.to_ms is None else wanted.to_ms)
        between = order_at(wanted.from_ms or 0), high
        if wanted.user_id is not None:
            return cut(self._by_user.read(wanted.user_id, between, limit + 1), limit, "list_order", dict)
        if wanted.source is not None:
            return cut(self._by_source.read(wanted.source, between, limit + 1), limit, "list_order", dict)
        return months_back(
            self._by_month.read,
            from_ms=wanted.from_ms,
            to_ms=wanted.to_ms,
            now_ms=now_ms,
            limit=limit,
            cursor=cursor,
            queries_a_month=1,
        )

    def _payments(self, keys: ListPage[IndexRow]) -> list[Payment]:
        ids = [str(row["payment_id"]) for row in keys.items]
        found = {row["payment_id"]: row for row in get_all_items(self._table, "payment_id", ids)}
        return [Payment(**known(Payment, found[each])) for each in ids if each in found]

    def _newest_first(self, name: str, hash_key: str) -> OrderedIndex:
        return OrderedIndex(table=self._table, name=name, hash_key=hash_key, range_key="list_order", descending=True)


def _place(wanted: PaymentFilter, payment: Payment) -> str:
    return payment.payment_id if wanted.is_by_id else order_of(payment.at_ms, payment.payment_id)
