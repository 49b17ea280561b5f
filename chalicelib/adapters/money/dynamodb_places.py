"""The viewer places of streams with a limit: a counter each in the table `limits`.

It changes in the transactions that start and end a session, so it cannot drift. Only streams with a limit have one: it
is one item and takes about a thousand starts and ends a second.
"""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.dynamodb import parameters


def take_place(table: str, stream_id: str, viewers_max: int) -> dict[str, Any]:
    """Return the part of a start's transaction that takes a place, if one is free."""
    return _update(
        table,
        stream_id,
        "SET taken = if_not_exists(taken, :zero) + :one",
        {":zero": 0, ":one": 1, ":max": viewers_max},
        condition="attribute_not_exists(taken) OR taken < :max",
    )


def give_place(table: str, stream_id: str) -> dict[str, Any]:
    """Return the part of an end's transaction that gives the place back."""
    return _update(table, stream_id, "ADD taken :less", {":less": -1})


def _update(table: str, stream_id: str, update: str, values: dict[str, int], **condition: Any) -> dict[str, Any]:
    key = {"limit_id": f"viewers.{stream_id}"}
    return {"Update": parameters(table, key=key, update=update, values=values, **condition)}
