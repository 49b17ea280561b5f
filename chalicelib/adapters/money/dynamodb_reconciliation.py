"""Reconciliation in DynamoDB: the table `reconciliation`, and two attributes of a session's record.

An ended session's record has `reconcile_shard` and `reconcile_at_ms` while it is due, so their index is sparse. A row
has `disagreeing_day` if it does not agree, for the same reason. Totals are stored under the day `totals`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.adapters.aws import TransactionRefused
from chalicelib.adapters.dynamodb import (
    call,
    from_row,
    get_item,
    get_rows,
    page_of,
    parameters,
    to_row,
    transact,
    write_if,
)
from chalicelib.adapters.money.dynamodb_totals import count_totals
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.cut_offs import CutOffs
from chalicelib.domain.money.reconciliation import DayTotals, Finding, SessionReconciliation
from chalicelib.domain.money.sessions import DUE_SHARDS
from chalicelib.domain.money.totals import MoneyTotals, totals_of_session
from chalicelib.ports.common import ListPage, StoreUnavailable
from chalicelib.ports.money.reconciliation import Due

TOTALS = "totals"
SETTLED = frozenset(
    {"served_ahead_millipoints", "unserved_credit_millipoints", "debt_millipoints", "debt_payment_millipoints"}
)


class DynamoReconciliations:
    """The port `Reconciliations`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "reconciliation"
        self._sessions = table_prefix + "playback_sessions"
        self._totals = table_prefix + "totals"

    def due(self, shard: int, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[Due]:
        request = {
            "TableName": self._sessions,
            "IndexName": "by_reconcile",
            "KeyConditionExpression": "reconcile_shard = :shard AND reconcile_at_ms <= :now",
            "ExpressionAttributeValues": to_row({":shard": shard, ":now": now_ms}),
            "Limit": limit,
        }
        position = ("session_id", "reconcile_shard", "reconcile_at_ms")
        return page_of("query", request, cursor, _due, position=position, within={"reconcile_shard": shard})

    def settle(self, row: SessionReconciliation, due: Due, again_at_ms: int | None) -> bool:
        """Write in one transaction, so that a result from old data replaces nothing newer.

        As long as the session is due as of `due`, no other result of it is written, so the one that is read is current.
        """
        earlier = get_item(self._table, {"day": row.day, "session_id": row.session_id})
        is_counted = bool(earlier and earlier.get("counted"))
        counted = totals_of_session(to_reconciliation(earlier)) if earlier and is_counted else MoneyTotals()
        change, values = "REMOVE reconcile_shard, reconcile_at_ms", {":seen": due.at_ms}
        if again_at_ms is not None:
            change, values[":again"] = "SET reconcile_at_ms = :again", again_at_ms
        put = parameters(
            self._table,
            item={**vars(row), "disagreeing_day": None if row.agrees else row.day, "counted": True},
            # The migration that counts older results may be at it.
            condition="attribute_exists(counted)" if is_counted else "attribute_not_exists(counted)",
        )
        update = parameters(
            self._sessions,
            key={"session_id": due.session_id},
            update=change,
            condition="reconcile_at_ms = :seen",
            values=values,
        )
        try:
            added = totals_of_session(row).minus(counted)
            transact({"Update": update}, {"Put": put}, *count_totals(self._totals, row.day, added))
        except TransactionRefused as refusal:
            if "ConditionalCheckFailed" in refusal.codes:
                return False
            raise StoreUnavailable(str(refusal)) from None
        return True

    def make_due(self, session_id: str, at_ms: int) -> bool:
        return write_if(
            "update_item",
            self._sessions,
            key={"session_id": session_id},
            # Incremented if it is due already, so that a `settle` in progress fails.
            update="SET reconcile_at_ms = if_not_exists(reconcile_at_ms, :at) + :one,"
            " reconcile_shard = if_not_exists(reconcile_shard, :shard)",
            condition="attribute_exists(end_reason)",
            values={":at": at_ms, ":one": 1, ":shard": random.randrange(DUE_SHARDS)},
        )

    def row(self, day: str, session_id: str) -> SessionReconciliation | None:
        row = get_item(self._table, {"day": day, "session_id": session_id})
        return to_reconciliation(row) if row else None

    def rows(self, day: str, *, agrees: bool | None, limit: int, cursor: str | None) -> ListPage[SessionReconciliation]:
        key = "disagreeing_day" if agrees is False else "day"
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "#day = :day",
            "ExpressionAttributeNames": {"#day": key},
            "ExpressionAttributeValues": to_row({":day": day}),
            "Limit": limit,
        }
        if agrees is False:
            request["IndexName"] = "disagreeing_by_day"
        if agrees:
            request["FilterExpression"] = "agrees = :agrees"
            request["ExpressionAttributeValues"] |= to_row({":agrees": True})
        within = {"day": day, key: day}
        return page_of("query", request, cursor, to_reconciliation, position=(*within, "session_id"), within=within)

    def cut_offs(self, ends: Iterable[tuple[str, str]]) -> Mapping[str, int]:
        rows = map(from_row, get_rows(self._table, [{"day": day, "session_id": each} for day, each in ends]))
        return {row["session_id"]: row["cut_off_ms"] for row in rows if "cut_off_ms" in row}

    def put_totals(self, totals: DayTotals) -> None:
        cut_offs = [vars(each) for each in totals.cut_offs]
        item = {**vars(totals), "cut_offs": cut_offs, "day": TOTALS, "session_id": totals.day}
        call("put_item", self._table, item=item)

    def totals(self, day: str) -> DayTotals | None:
        row = get_item(self._table, {"day": TOTALS, "session_id": day})
        if row is None:
            return None
        del row["session_id"]
        return DayTotals(**{**row, "day": day, "cut_offs": tuple(map(_cut_offs, row.get("cut_offs", ())))})


def _due(row: dict[str, Any]) -> Due:
    return Due(row["session_id"], row["reconcile_at_ms"])


def _cut_offs(found: dict[str, Any]) -> CutOffs:
    return CutOffs(**{**found, "end_reason": EndReason(found["end_reason"]), "counts": tuple(found["counts"])})


def to_reconciliation(row: dict[str, Any]) -> SessionReconciliation:
    """Return a stored row as the result that it holds."""
    # Rows from before there were settlements have no amounts of one.
    values = {
        name: row.get(name, 0 if name in SETTLED else None) for name in SessionReconciliation.__dataclass_fields__
    }
    return SessionReconciliation(
        **{**values, "end_reason": EndReason(row["end_reason"]), "reason": Finding(row["reason"])}  # type: ignore[arg-type]
    )
