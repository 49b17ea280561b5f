"""Lists over several partitions of an index, in the order of its range key, as one list.

A cursor is the place of the first row that was not returned, so it holds for all partitions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from chalicelib.adapters.dynamodb import all_rows, from_cursor, from_row, parameters, to_cursor
from chalicelib.adapters.list_keys import order_at
from chalicelib.domain.errors import WrongCursor
from chalicelib.domain.money.lists import TIME_MS_MAX
from chalicelib.domain.operations.audit import month_before, month_of, month_start_ms
from chalicelib.ports.common import ListPage

Item = TypeVar("Item")
IndexRow = dict[str, Any]
# The form of `list_order`: a time, and the id of a row unless the place is before all rows of that time.
ORDER = re.compile(r"[0-9]{13}(?:\.[A-Za-z0-9_:-]{1,64})?")
ORDER_DIGITS = 13
# Bound of one request, at a few milliseconds each.
QUERIES_MAX = 120
# No row is older: the first version is of 2026.
FIRST_MS = 1_767_225_600_000
# The clocks of two functions differ by less.
CLOCKS_APART_MS = 60_000


@dataclass(frozen=True, kw_only=True)
class OrderedIndex:
    """An index with a text as its range key, and whether lists begin with the greatest."""

    table: str
    name: str
    hash_key: str
    range_key: str
    descending: bool

    def read(self, partition: str, between: tuple[str, str], limit: int) -> list[IndexRow]:
        """Return the first `limit` rows of a partition with a range key between two texts, both included."""
        low, high = between
        if low > high or limit < 1:
            return []
        request = parameters(
            self.table,
            IndexName=self.name,
            KeyConditionExpression="#hash = :partition AND #range BETWEEN :low AND :high",
            names={"#hash": self.hash_key, "#range": self.range_key},
            values={":partition": partition, ":low": low, ":high": high},
            ScanIndexForward=not self.descending,
            Limit=limit,
        )
        return [from_row(row) for row in all_rows("query", request, limit)]

    def merged(self, parts: Iterable[Sequence[IndexRow]], limit: int) -> list[IndexRow]:
        """Return the first `limit` rows of several partitions."""
        rows = [row for part in parts for row in part]
        return sorted(rows, key=lambda row: str(row[self.range_key]), reverse=self.descending)[:limit]


def place_of(cursor: str | None, form: re.Pattern[str]) -> str | None:
    """Return the place in a cursor, None without one. Raise `WrongCursor` for a text of another form."""
    if cursor is None:
        return None
    place = from_cursor(cursor)
    if not isinstance(place, str) or not form.fullmatch(place):
        raise WrongCursor
    return place


def cut(rows: Sequence[IndexRow], limit: int, range_key: str, make: Callable[[IndexRow], Item]) -> ListPage[Item]:
    """Return the first `limit` rows as a page. One row more than that is the place of the next page."""
    more = len(rows) > limit
    next_cursor = to_cursor(rows[limit][range_key]) if more else None
    return ListPage(items=[make(row) for row in rows[:limit]], next_cursor=next_cursor)


def months_back(
    read: Callable[[str, tuple[str, str], int], list[IndexRow]],
    *,
    from_ms: int | None,
    to_ms: int | None,
    now_ms: int,
    limit: int,
    cursor: str | None,
    queries_a_month: int,
) -> ListPage[IndexRow]:
    """Return a page of rows that are in a partition for each month (UTC), newest first.

    `read` returns the first rows of a month between two places. A request makes `QUERIES_MAX` queries at most; a page
    that ends there has the cursor of the month before.
    """
    first_ms = max(from_ms or 0, FIRST_MS)
    low, high = order_at(first_ms), order_at(min(to_ms or TIME_MS_MAX, now_ms + CLOCKS_APART_MS))
    high = min(high, place_of(cursor, ORDER) or high)
    rows: list[IndexRow] = []
    # A time alone is the place before all rows of that millisecond.
    month = month_of(int(high[:ORDER_DIGITS]) - (len(high) == ORDER_DIGITS))
    begin = high
    for _ in range(QUERIES_MAX // queries_a_month):
        if month < month_of(first_ms):
            break
        rows += read(month, (low, high), limit + 1 - len(rows))
        begin, month = order_at(month_start_ms(month)), month_before(month)
        if len(rows) > limit:
            break
    if len(rows) > limit or month < month_of(first_ms):
        return cut(rows, limit, "list_order", dict)
    return ListPage(items=rows, next_cursor=to_cursor(begin))
