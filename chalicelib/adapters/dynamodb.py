"""Shared code of the DynamoDB adapters: the wire form of values, cursors, and paged reads."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from chalicelib.adapters.aws import ConditionFailed, RequestInvalid, client, translated
from chalicelib.domain.errors import WrongCursor
from chalicelib.ports.common import ListPage, StoreUnavailable

Item = TypeVar("Item")
Attribute = dict[str, Any]
Row = dict[str, Attribute]
# The store's limit for a batch.
GET_AT_ONCE = 100
# A busy store may process a part of a batch.
BATCH_TRIES_MAX = 3
# Bounds of a filtered page: rows of one query, and of all.
ROWS_AT_ONCE, ROWS_MAX = 200, 1_000


def to_attribute(value: Any) -> Attribute:
    """Return a value (not None) in DynamoDB's wire form. Floats are written as their shortest text."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | float):
        return {"N": repr(value)}
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, Mapping):
        return {"M": to_row(value)}
    if isinstance(value, list | tuple):
        return {"L": [to_attribute(part) for part in value]}
    raise TypeError(f"no DynamoDB form for {type(value).__name__}")


def from_attribute(attribute: Attribute) -> Any:
    """Return the Python value of DynamoDB's wire form."""
    ((kind, value),) = attribute.items()
    if kind == "N":
        return int(value) if value.lstrip("-").isdecimal() else float(value)
    if kind == "M":
        return from_row(value)
    if kind == "L":
        return [from_attribute(part) for part in value]
    return None if kind == "NULL" else value


def to_row(values: Mapping[str, Any]) -> Row:
    """Return a row without None values."""
    return {name: to_attribute(value) for name, value in values.items() if value is not None}


def from_row(row: Row) -> dict[str, Any]:
    """Return the Python values of a row."""
    return {name: from_attribute(attribute) for name, attribute in row.items()}


def known(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are fields of a dataclass. Attributes of a newer version are left out."""
    return {name: values[name] for name in kind.__dataclass_fields__ if name in values}


def to_cursor(position: Any) -> str:
    """Return a URL-safe cursor of any JSON value."""
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> Any:
    """Return the value in a cursor. Raise `WrongCursor` for an unknown form."""
    try:
        return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise WrongCursor from None


def parameters(
    table: str,
    *,
    key: Mapping[str, Any] | None = None,
    item: Mapping[str, Any] | None = None,
    update: str | None = None,
    condition: str | None = None,
    names: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return the parameters of a request, without those that are None or empty."""
    given = {
        "TableName": table,
        "Key": to_row(key or {}),
        "Item": to_row(item or {}),
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_row(values or {}),
        **more,
    }
    return {name: value for name, value in given.items() if value is not None and value != {}}


def call(operation: str, table: str, **given: Any) -> Any:
    """Send a request with these `parameters`, and return the response. Raise what `translated` raises."""
    with translated():
        return getattr(client("dynamodb"), operation)(**parameters(table, **given))


def write_if(operation: str, table: str, **given: Any) -> bool:
    """Send a conditional write, and return whether it was made. Raise what `translated` raises for other errors."""
    try:
        call(operation, table, **given)
    except ConditionFailed:
        return False
    return True


def transact(*parts: dict[str, Any]) -> None:
    """Write all parts or none. Raise what `translated` raises."""
    with translated():
        client("dynamodb").transact_write_items(TransactItems=list(parts))


def get_items(table: str, key: str, ids: Iterable[str]) -> Iterator[Row]:
    """Yield the rows with one of these ids in the attribute `key`, without those that the store did not process."""
    return get_rows(table, [{key: each} for each in dict.fromkeys(ids)])


def get_rows(table: str, keys: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Yield the rows with these keys, which are all different, without those that the store did not process."""
    for first in range(0, len(keys), GET_AT_ONCE):
        with translated():
            request = {table: {"Keys": [to_row(key) for key in keys[first : first + GET_AT_ONCE]]}}
            answer = client("dynamodb").batch_get_item(RequestItems=request)
        yield from answer["Responses"].get(table, [])


def get_all_items(table: str, key: str, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the values of all rows with one of these ids. Raise `StoreUnavailable` if the store did not process all."""
    keys = [to_row({key: each}) for each in dict.fromkeys(ids)]
    for first in range(0, len(keys), GET_AT_ONCE):
        request = {table: {"Keys": keys[first : first + GET_AT_ONCE]}}
        for _ in range(BATCH_TRIES_MAX):
            with translated():
                answer = client("dynamodb").batch_get_item(RequestItems=request)
            yield from map(from_row, answer["Responses"].get(table, []))
            request = answer.get("UnprocessedKeys") or {}
            if not request:
                break
        else:
            raise StoreUnavailable(f"{table}: the store did not process all keys of a batch")


def filtered_page(
    table: str,
    index: str,
    cursor: str | None,
    make: Callable[[dict[str, Any]], Item],
    *,
    position: Sequence[str],
    within: Mapping[str, Any],
    limit: int,
    key_condition: str,
    condition: str,
    values: Mapping[str, Any],
) -> ListPage[Item]:
    """Return a page of an index's rows that meet `condition`, newest first, after a look at `ROWS_MAX` rows at most.

    The cursor is the position of the last row that was returned or looked at, with the attributes `position`.
    """
    request = parameters(
        table,
        IndexName=index,
        KeyConditionExpression=key_condition,
        FilterExpression=condition,
        values=values,
        ScanIndexForward=False,
    )
    rows: list[dict[str, Any]] = []
    looked_at, at_once = 0, limit
    while True:
        page: ListPage[dict[str, Any]] = page_of(
            "query", {**request, "Limit": at_once}, cursor, dict, position=position, within=within
        )
        rows += page.items
        looked_at, cursor = looked_at + at_once, page.next_cursor
        if len(rows) > limit:
            rows = rows[:limit]
            cursor = to_cursor({name: rows[-1][name] for name in position})
        if cursor is None or len(rows) == limit or looked_at >= ROWS_MAX:
            return ListPage(items=[make(row) for row in rows], next_cursor=cursor)
        at_once = ROWS_AT_ONCE


def all_rows(operation: str, request: Mapping[str, Any], limit: int) -> list[Row]:
    """Return the first `limit` rows of a `query` or `scan`. A response ends after 1 MB, whatever the limit."""
    found: list[Row] = []
    position: dict[str, Any] = {}
    while len(found) < limit:
        with translated():
            answer = getattr(client("dynamodb"), operation)(**request, **position)
        found += answer.get("Items", [])
        if "LastEvaluatedKey" not in answer:
            break
        position = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    return found[:limit]


def get_item(table: str, key: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return one row by a consistent read."""
    row = call("get_item", table, key=key, ConsistentRead=True).get("Item")
    return from_row(row) if row else None


def page_of(
    operation: str,
    request: dict[str, Any],
    cursor: str | None,
    make: Callable[[Any], Item],
    *,
    position: Sequence[str],
    within: Mapping[str, Any] | None = None,
) -> ListPage[Item]:
    """Return a page of a `query` or `scan`. The cursor is the store's position, with the attributes `position`.

    Cursors come from clients, so they are checked against that form and the list's key `within`.
    """
    if cursor is not None:
        request = {**request, "ExclusiveStartKey": to_row(_start_key(cursor, position, within or {}))}
    try:
        with translated():
            answer = getattr(client("dynamodb"), operation)(**request)
    except RequestInvalid:
        if cursor is None:
            raise
        raise WrongCursor from None
    last = answer.get("LastEvaluatedKey")
    return ListPage(
        items=[make(from_row(row)) for row in answer.get("Items", [])],
        next_cursor=to_cursor(from_row(last)) if last else None,
    )


def _start_key(cursor: str, position: Sequence[str], within: Mapping[str, Any]) -> dict[str, Any]:
    key = from_cursor(cursor)
    if not isinstance(key, dict) or set(key) != set(position):
        raise WrongCursor
    is_key = all((isinstance(value, str) and value) or type(value) is int for value in key.values())
    if not is_key or any(key[name] != value for name, value in within.items()):
        raise WrongCursor
    return key
