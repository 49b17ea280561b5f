"""Who listens for SRT at which port: a row for each port in the table `limits`.

It is changed in the very transactions that write a stream, so two streams can never have the same port, and a stream's
row, written over the version that was seen, is proof that the port it names is its own. An index could promise neither.
"""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.dynamodb import get_item, to_row


def take_port(table: str, port: int, stream_id: str) -> dict[str, Any]:
    """The part of a transaction that takes a port, if nobody has it. A refusal has the row of who does."""
    return {
        "Update": {
            "TableName": table,
            "Key": to_row(_key(port)),
            "UpdateExpression": "SET owner_id = :stream",
            "ConditionExpression": "attribute_not_exists(owner_id)",
            "ExpressionAttributeValues": to_row({":stream": stream_id}),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def give_port(table: str, port: int) -> dict[str, Any]:
    """The part of its owner's transaction that gives a port back."""
    return {"Update": {"TableName": table, "Key": to_row(_key(port)), "UpdateExpression": "REMOVE owner_id"}}


def owner_of(table: str, port: int) -> str | None:
    """The id of the stream that has the port."""
    row = get_item(table, _key(port))
    return row.get("owner_id") if row else None


def _key(port: int) -> dict[str, str]:
    return {"limit_id": f"srt-port.{port}"}
