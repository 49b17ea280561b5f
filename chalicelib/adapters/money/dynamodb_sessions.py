"""Records of playback sessions. A row is written at start and end; in between only `due_ms` changes.

`active_stream_id`, `due_shard` and `due_ms` exist while the session is active, so their indexes are sparse. At its end
`reconcile_shard` and `reconcile_at_ms` replace them until the session is reconciled. `list_key` and `list_order` are
its place in the list of active or of ended sessions (`list_keys.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from chalicelib.adapters.aws import client, translated
from chalicelib.adapters.dynamodb import (
    all_rows,
    from_cursor,
    from_row,
    get_item,
    known,
    page_of,
    to_cursor,
    to_row,
    write_if,
)
from chalicelib.adapters.list_keys import active_keys, ended_keys
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import WrongCursor
from chalicelib.domain.ids import CANARY_USERS
from chalicelib.domain.money.lease import Closing
from chalicelib.domain.money.reconciliation import RECONCILE_AFTER_MS
from chalicelib.domain.money.sessions import DUE_SHARDS, ActiveSession, SessionKind, SessionRecord
from chalicelib.ports.common import ListPage


def new_record(table: str, record: SessionRecord) -> dict[str, Any]:
    """Return the part of a start's transaction that puts the record."""
    place = active_keys(record.session_id, record.due_shard, record.started_at_ms)
    return {
        "Put": {
            "TableName": table,
            "Item": to_row({**vars(record), "active_stream_id": record.stream_id, **place}),
            "ConditionExpression": "attribute_not_exists(session_id)",
        }
    }


def close_record(
    table: str, seen: ActiveSession, reason: EndReason, closing: Closing, now_ms: int, message: str | None = None
) -> dict[str, Any]:
    """Return the part of an end's transaction that closes the record and removes it from the sparse indexes."""
    place = ended_keys(seen.session_id, reason, now_ms)
    return {
        "Update": {
            "TableName": table,
            "Key": to_row({"session_id": seen.session_id}),
            "UpdateExpression": "SET ended_at_ms = :now, end_reason = :reason, charged_millipoints = :charged,"
            " refunded_millipoints = :refund, watched_ms = :watched, granted_ms = :granted,"
            " reserved_millipoints = :reserved, budget_millipoints = :budget, in_outage = :outage,"
            " reconcile_shard = due_shard, reconcile_at_ms = :reconcile, list_key = :list_key, list_order = :list_order"
            f"{', message = :message' if message else ''}"
            " REMOVE active_stream_id, due_shard, due_ms",
            "ConditionExpression": "attribute_exists(session_id) AND attribute_not_exists(end_reason)",
            "ExpressionAttributeValues": to_row(
                {
                    ":now": now_ms,
                    ":reason": reason.value,
                    ":charged": seen.charged_millipoints - closing.refund_millipoints,
                    ":refund": closing.refund_millipoints,
                    ":watched": closing.watched_ms,
                    ":granted": seen.granted_ms,
                    ":reserved": closing.reserved_millipoints,
                    ":budget": seen.budget_millipoints + closing.refund_millipoints,
                    ":outage": closing.in_outage,
                    ":reconcile": now_ms + RECONCILE_AFTER_MS,
                    **{f":{name}": value for name, value in place.items()},
                    ":message": message,
                }
            ),
        }
    }


def count_adjustment(table: str, record: SessionRecord, millipoints: int, now_ms: int) -> dict[str, Any]:
    """Return the part of an adjustment's transaction that counts it and bounds all adjustments of the session.

    The session is due for reconciliation at once, or a moment later than it was, so that no result without the
    adjustment stays.

    The count helps to find it among the session's lines. All adjustments together stay between 0 and the session's
    charge, which after its end only its settlement changes.
    """
    charged = record.charged_millipoints or 0
    return {
        "Update": {
            "TableName": table,
            "Key": to_row({"session_id": record.session_id}),
            "UpdateExpression": "SET reconcile_at_ms = if_not_exists(reconcile_at_ms, :now) + :one,"
            " reconcile_shard = if_not_exists(reconcile_shard, :shard)"
            " ADD adjustments :one, adjusted_millipoints :given",
            "ConditionExpression": "attribute_exists(end_reason) AND charged_millipoints = :charged"
            " AND adjusted_millipoints BETWEEN :least AND :most",
            "ExpressionAttributeValues": to_row(
                {
                    ":one": 1,
                    ":given": millipoints,
                    ":now": now_ms,
                    ":shard": crc32(record.session_id.encode()) % DUE_SHARDS,
                    ":charged": charged,
                    ":least": -millipoints,
                    ":most": charged - millipoints,
                }
            ),
        }
    }


def record_of_row(row: dict[str, Any]) -> SessionRecord:
    """Return the record in a row."""
    reason = row.get("end_reason")
    kinds = {"kind": SessionKind(row["kind"]), "end_reason": EndReason(reason) if reason else None}
    return SessionRecord(**{"due_shard": 0, "due_ms": 0, **known(SessionRecord, row), **kinds})


class DynamoPlaybackSessions:
    """The port `PlaybackSessions`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "playback_sessions"

    def get(self, session_id: str) -> SessionRecord | None:
        row = get_item(self._table, {"session_id": session_id})
        return record_of_row(row) if row else None

    def by_user(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return self._query("by_user", "user_id", user_id, limit, cursor)

    def newest_of_user(self, user_id: str, *, until_ms: int, limit: int) -> Sequence[SessionRecord]:
        request = self._request("by_user", "user_id", user_id, limit)
        request["KeyConditionExpression"] += " AND started_at_ms <= :until"
        request["ExpressionAttributeValues"] |= to_row({":until": until_ms})
        return [record_of_row(from_row(row)) for row in all_rows("query", request, limit)]

    def active(self, stream_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return self._query("active_by_stream", "active_stream_id", stream_id, limit, cursor)

    def all_active(self, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        """Query shard by shard. The cursor is the shard and the store's position in it."""
        shard, inner = _shard_position(cursor)
        items: list[SessionRecord] = []
        while shard < DUE_SHARDS and len(items) < limit:
            page = self._query("by_due", "due_shard", shard, limit - len(items), inner)
            items += page.items
            inner = page.next_cursor
            if inner is None:
                shard += 1
        return ListPage(items=items, next_cursor=to_cursor([shard, inner]) if shard < DUE_SHARDS else None)

    def count_active(self) -> int:
        """Count with one query for each shard and 1 MB of it."""
        return sum(self._count(shard) for shard in range(DUE_SHARDS))

    def due(self, shard: int, now_ms: int, limit: int) -> Sequence[SessionRecord]:
        request = self._request("by_due", "due_shard", shard, limit)
        request["KeyConditionExpression"] += " AND due_ms <= :now"
        request["ExpressionAttributeValues"] |= to_row({":now": now_ms})
        request["ScanIndexForward"] = True
        return page_of("query", request, None, record_of_row, position=()).items

    def rearm(self, session_id: str, due_ms: int) -> None:
        write_if(
            "update_item",
            self._table,
            key={"session_id": session_id},
            update="SET due_ms = :due",
            condition="attribute_exists(due_shard)",
            values={":due": due_ms},
        )

    def _request(self, index: str, key: str, value: Any, limit: int) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "IndexName": index,
            "KeyConditionExpression": f"{key} = :key",
            "ExpressionAttributeValues": to_row({":key": value}),
            "ScanIndexForward": False,
            "Limit": limit,
        }

    def _query(self, index: str, key: str, value: Any, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        request = self._request(index, key, value, limit)
        position = ("session_id", key, "due_ms" if index == "by_due" else "started_at_ms")
        return page_of("query", request, cursor, record_of_row, position=position, within={key: value})

    def _count(self, shard: int) -> int:
        request = self._request("by_due", "due_shard", shard, 1000)
        del request["Limit"]
        # The rows that it leaves out are a few, so it reads hardly more than it counts.
        request["FilterExpression"] = "NOT begins_with(user_id, :canary)"
        request["ExpressionAttributeValues"] |= to_row({":canary": CANARY_USERS})
        count = 0
        while True:
            with translated():
                answer = client("dynamodb").query(**request, Select="COUNT")
            count += int(answer["Count"])
            if "LastEvaluatedKey" not in answer:
                return count
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _shard_position(cursor: str | None) -> tuple[int, str | None]:
    if cursor is None:
        return 0, None
    position = from_cursor(cursor)
    match position:
        case [int(shard), None | str() as inner] if type(shard) is int and 0 <= shard < DUE_SHARDS:
            return shard, inner
    raise WrongCursor
