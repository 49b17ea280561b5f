"""Error counts in the table `errors`: a row for each status class, code and route, which expires when unused.

The range key is `<status>.<code> <method> <route>`. Each process writes a row every few seconds at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib.adapters.dynamodb import all_rows, call, from_row, parameters
from chalicelib.domain.operations.error_counts import KEPT_DAYS, LISTED_MAX, ErrorCount, ErrorKind
from chalicelib.domain.operations.traffic import MINUTE_MS
from chalicelib.ports.common import Clock, StoreUnavailable

FLUSH_EVERY_MS = 5_000
KEPT_S = KEPT_DAYS * 24 * 3600


@dataclass
class _Pending:
    count: int
    first_at_ms: int
    last_at_ms: int
    request_id: str


class DynamoErrors:
    """The port `Errors`."""

    def __init__(self, table_prefix: str, clock: Clock) -> None:
        self._table = table_prefix + "errors"
        self._clock = clock
        # As many as there are codes and routes at most.
        self._pending: dict[ErrorKind, _Pending] = {}
        self._flush_at_ms = 0

    def add(self, kind: ErrorKind, request_id: str) -> None:
        now_ms = self._clock.now_ms()
        pending = self._pending.setdefault(kind, _Pending(0, now_ms, now_ms, ""))
        pending.count += 1
        pending.last_at_ms, pending.request_id = now_ms, request_id or pending.request_id

    def flush_if_due(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms >= self._flush_at_ms:
            self._flush_at_ms = now_ms + FLUSH_EVERY_MS
            with suppress(StoreUnavailable):
                self._flush()

    def _flush(self) -> None:
        for kind in list(self._pending):
            self._write(kind, self._pending[kind])
            del self._pending[kind]

    def _write(self, kind: ErrorKind, pending: _Pending) -> None:
        last: dict[str, Any] = {"last_at_ms": pending.last_at_ms, "expires_at_s": pending.last_at_ms // 1000 + KEPT_S}
        if pending.request_id:
            last["last_request_id"] = pending.request_id
        # Some of the names are reserved words of the store.
        names = {f"#{name}": name for name in ("count", "first_at_ms", *last)}
        sets = ["#first_at_ms = if_not_exists(#first_at_ms, :first)", *(f"#{name} = :{name}" for name in last)]
        call(
            "update_item",
            self._table,
            key={"status_class": kind.status_class, "error_id": _id_of(kind)},
            update=f"ADD #count :count SET {', '.join(sets)}",
            names=names,
            values={":count": pending.count, ":first": pending.first_at_ms, **{f":{n}": v for n, v in last.items()}},
        )

    def listing(self, status_class: str) -> Sequence[ErrorCount]:
        self._flush()
        request = parameters(
            self._table, KeyConditionExpression="status_class = :class", values={":class": status_class}
        )
        return [_error_count(from_row(row)) for row in all_rows("query", request, LISTED_MAX)]


def _id_of(kind: ErrorKind) -> str:
    return f"{kind.status}.{kind.code} {kind.method} {kind.route}"


def _error_count(row: dict[str, Any]) -> ErrorCount:
    problem, method, route = row["error_id"].split(" ", 2)
    status, code = problem.split(".", 1)
    return ErrorCount(
        status=int(status),
        code=code,
        method=method,
        route=route,
        count=row["count"],
        first_at_ms=row["first_at_ms"],
        last_at_ms=row["last_at_ms"],
        last_minute_ms=row["last_at_ms"] - row["last_at_ms"] % MINUTE_MS,
        last_request_id=row.get("last_request_id"),
    )
