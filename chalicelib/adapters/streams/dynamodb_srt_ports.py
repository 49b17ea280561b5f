"""The owners of SRT ports: a row for each port in the table `limits`.

It changes in the transactions that write a stream, so two streams never share a port, and a stream's row is proof that
it owns the port in it. An index could guarantee neither.
"""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.dynamodb import get_item, parameters


def take_port(table: str, port: int, stream_id: str) -> dict[str, Any]:
    """Return the part of a transaction that takes a free port. A refusal contains the owner's row."""
    update = parameters(
        table,
        key=_key(port),
        update="SET owner_id = :stream",
        condition="attribute_not_exists(owner_id)",
        values={":stream": stream_id},
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    return {"Update": update}


def give_port(table: str, port: int) -> dict[str, Any]:
    """Return the part of the owner's transaction that gives a port back."""
    return {"Update": parameters(table, key=_key(port), update="REMOVE owner_id")}


def owner_of(table: str, port: int) -> str | None:
    """Return the id of the stream that has the port."""
    row = get_item(table, _key(port))
    return row.get("owner_id") if row else None


def _key(port: int) -> dict[str, str]:
    return {"limit_id": f"srt-port.{port}"}
