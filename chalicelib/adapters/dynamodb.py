"""What all DynamoDB adapters share: the wire form of values, cursors, and reads by page."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from chalicelib.adapters.aws import RequestInvalid, client, translated
from chalicelib.domain.errors import Invalid
from chalicelib.ports import ListPage

Item = TypeVar("Item")
Attribute = dict[str, Any]
Row = dict[str, Attribute]


def to_attribute(value: Any) -> Attribute:
    """A Python value (None left to the caller) in DynamoDB's wire form. Floats are written as their shortest text."""
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
    """The Python value of DynamoDB's wire form."""
    ((kind, value),) = attribute.items()
    if kind == "N":
        return int(value) if value.lstrip("-").isdecimal() else float(value)
    if kind == "M":
        return from_row(value)
    if kind == "L":
        return [from_attribute(part) for part in value]
    return None if kind == "NULL" else value


def to_row(values: Mapping[str, Any]) -> Row:
    """A row; what is None is left out."""
    return {name: to_attribute(value) for name, value in values.items() if value is not None}


def from_row(row: Row) -> dict[str, Any]:
    """The Python values of a row."""
    return {name: from_attribute(attribute) for name, attribute in row.items()}


def to_cursor(position: Any) -> str:
    """A URL-safe cursor of any JSON value."""
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> Any:
    """The value in a cursor; `Invalid` if it is none of ours."""
    try:
        return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise invalid_cursor() from None


def invalid_cursor() -> Invalid:
    """The refusal of a cursor that no list of ours has given."""
    return Invalid(
        "The cursor is not one that this list gave.",
        errors=[{"field": "cursor", "detail": "use next_cursor of the page before"}],
    )


def get_item(table: str, key: Mapping[str, Any]) -> dict[str, Any] | None:
    """A consistent read of one row."""
    with translated():
        row = client("dynamodb").get_item(TableName=table, Key=to_row(key), ConsistentRead=True).get("Item")
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
    """One page of a `query` or `scan`; the cursor is the store's own position, made of the attributes `position`.

    A cursor comes from the client, so it is held to that form, and to the key `within` which the list lies.
    """
    if cursor is not None:
        request = {**request, "ExclusiveStartKey": to_row(_start_key(cursor, position, within or {}))}
    try:
        with translated():
            answer = getattr(client("dynamodb"), operation)(**request)
    except RequestInvalid:
        if cursor is None:
            raise
        raise invalid_cursor() from None
    last = answer.get("LastEvaluatedKey")
    return ListPage(
        items=[make(from_row(row)) for row in answer.get("Items", [])],
        next_cursor=to_cursor(from_row(last)) if last else None,
    )


def _start_key(cursor: str, position: Sequence[str], within: Mapping[str, Any]) -> dict[str, Any]:
    key = from_cursor(cursor)
    if not isinstance(key, dict) or set(key) != set(position):
        raise invalid_cursor()
    if not all((isinstance(value, str) and value) or type(value) is int for value in key.values()):
        raise invalid_cursor()
    if any(key[name] != value for name, value in within.items()):
        raise invalid_cursor()
    return key
