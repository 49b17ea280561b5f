"""The list of sessions: each filter is answered from an index of `playback_sessions`."""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.dynamodb import filtered_page, get_all_items
from chalicelib.adapters.list_keys import active_list, ended_list, order_at
from chalicelib.adapters.money.dynamodb_sessions import record_of_row
from chalicelib.adapters.ordered_index import ORDER, IndexRow, OrderedIndex, cut, months_back, place_of
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lists import TIME_MS_MAX, SessionFilter
from chalicelib.domain.money.sessions import DUE_SHARDS, SessionRecord
from chalicelib.ports.common import ListPage


class DynamoSessionLists:
    """The port `SessionLists`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "playback_sessions"
        self._by_state = OrderedIndex(
            table=self._table, name="by_state", hash_key="list_key", range_key="list_order", descending=True
        )

    def page(self, wanted: SessionFilter, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        if wanted.user_id is not None:
            return self._of("by_user", "user_id", wanted.user_id, wanted, limit, cursor)
        if wanted.stream_id is not None and wanted.active:
            return self._of("active_by_stream", "active_stream_id", wanted.stream_id, wanted, limit, cursor)
        if wanted.stream_id is not None:
            return self._of("by_stream", "stream_id", wanted.stream_id, wanted, limit, cursor)
        keys = self._ended(wanted, now_ms, limit, cursor) if wanted.is_by_end else self._active(wanted, limit, cursor)
        found = get_all_items(self._table, "session_id", (str(row["session_id"]) for row in keys.items))
        records = {row["session_id"]: record_of_row(row) for row in found}
        listed = (records[row["session_id"]] for row in keys.items if row["session_id"] in records)
        # An index follows its table a moment later.
        return ListPage(items=[each for each in listed if wanted.fits(each)], next_cursor=keys.next_cursor)

    def _of(
        self, index: str, key: str, value: str, wanted: SessionFilter, limit: int, cursor: str | None
    ) -> ListPage[SessionRecord]:
        """Query the sessions of a user or a stream, and filter what is found."""
        conditions = ["attribute_not_exists(end_reason)" if wanted.active else "attribute_exists(end_reason)"]
        values: dict[str, Any] = {":key": value, ":from": wanted.from_ms or 0, ":to": TIME_MS_MAX}
        if wanted.to_ms is not None:
            values[":to"] = wanted.to_ms - 1
        # The key chooses the stream, unless it is a user.
        stream_id = wanted.stream_id if key == "user_id" else None
        for name, given in {"stream_id": stream_id, "end_reason": wanted.end_reason}.items():
            if given is not None:
                conditions.append(f"{name} = :{name}")
                values[f":{name}"] = given
        return filtered_page(
            self._table,
            index,
            cursor,
            record_of_row,
            position=("session_id", key, "started_at_ms"),
            within={key: value},
            limit=limit,
            key_condition=f"{key} = :key AND started_at_ms BETWEEN :from AND :to",
            condition=" AND ".join(conditions),
            values=values,
        )

    def _active(self, wanted: SessionFilter, limit: int, cursor: str | None) -> ListPage[IndexRow]:
        """Merge the shards of active sessions."""
        high = place_of(cursor, ORDER) or order_at(TIME_MS_MAX if wanted.to_ms is None else wanted.to_ms)
        between = order_at(wanted.from_ms or 0), high
        shards = (self._by_state.read(active_list(shard), between, limit + 1) for shard in range(DUE_SHARDS))
        return cut(self._by_state.merged(shards, limit + 1), limit, "list_order", dict)

    def _ended(self, wanted: SessionFilter, now_ms: int, limit: int, cursor: str | None) -> ListPage[IndexRow]:
        """Merge the reasons of a month, month by month."""
        reasons = [wanted.end_reason] if wanted.end_reason else list(EndReason)

        def read(month: str, between: tuple[str, str], rows_max: int) -> list[IndexRow]:
            parts = (self._by_state.read(ended_list(month, reason), between, rows_max) for reason in reasons)
            return self._by_state.merged(parts, rows_max)

        return months_back(
            read,
            from_ms=wanted.from_ms,
            to_ms=wanted.to_ms,
            now_ms=now_ms,
            limit=limit,
            cursor=cursor,
            queries_a_month=len(reasons),
        )
