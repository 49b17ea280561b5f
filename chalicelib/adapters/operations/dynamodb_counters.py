"""Counters: summed in the process, written every few seconds at most, never at every heartbeat.

A row is a minute and one of a few shards, so that processes do not contend for one item. The minute 0 holds what has
no end: the totals in shards `total.<group>.<shard>`, and the gauges in the shard `gauge`. These rows do not expire.
Counts that were not flushed are lost with their process: they are for monitoring, not for money. The gateway's
counters are in the same table (`dynamodb_usage.py`), in named shards.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from chalicelib.adapters.dynamodb import all_rows, call, from_row, get_item, parameters
from chalicelib.domain.operations.totals import group_of, rise_of
from chalicelib.domain.operations.traffic import TOTALS_MINUTE
from chalicelib.ports.common import Clock, StoreUnavailable

FLUSH_EVERY_MS = 5_000
SHARDS = 8
KEEP_S = 7 * 24 * 3600
MINUTES_MAX = 60
# More than groups times shards. The query reads them all.
TOTAL_ROWS_MAX = 1_000
TOTAL, GAUGES = "total.", "gauge"
KEYS = ("minute", "shard", "expires_at_s")


class DynamoCounters:
    """The port `Counters` over the table `metrics`. `emit` also receives the counts of each flush."""

    def __init__(
        self, table_prefix: str, clock: Clock, emit: Callable[[Mapping[str, int]], None] = lambda counts: None
    ) -> None:
        self._table = table_prefix + "metrics"
        self._clock = clock
        self._emit = emit
        self._pending: Counter[str] = Counter()
        # By group. Apart from the minute's, since one of the two writes may fail alone.
        self._rises: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._flush_at_ms = 0

    def add(self, name: str, amount: int = 1) -> None:
        self._pending[name] += amount
        total, rise = rise_of(name, amount)
        self._rises[group_of(total)][total] += rise

    def flush_if_due(self) -> None:
        if self._clock.now_ms() >= self._flush_at_ms:
            self.flush()

    def flush(self) -> None:
        self._flush_at_ms = self._clock.now_ms() + FLUSH_EVERY_MS
        with suppress(StoreUnavailable):
            self._flush_minute()
        with suppress(StoreUnavailable):
            self._flush_totals()

    def _flush_minute(self) -> None:
        pending, self._pending = self._pending, Counter()
        if not pending:
            return
        now_ms = self._clock.now_ms()
        try:
            self._add(now_ms // 60_000, _shard(), pending, expires_at_s=now_ms // 1000 + KEEP_S)
        except Exception:
            self._pending += pending
            raise
        self._emit(pending)

    def _flush_totals(self) -> None:
        for group in list(self._rises):
            self._add(TOTALS_MINUTE, f"{TOTAL}{group}.{_shard()}", self._rises[group])
            del self._rises[group]

    def _add(self, minute: int, shard: str, amounts: Mapping[str, int], **fixed: int) -> None:
        names = {f"#n{i}": name for i, name in enumerate([*amounts, *fixed])}
        values = {f":n{i}": value for i, value in enumerate([*amounts.values(), *fixed.values()])}
        update = "ADD " + ", ".join(f"#n{i} :n{i}" for i in range(len(amounts)))
        if fixed:
            update += " SET " + ", ".join(f"#n{i} = :n{i}" for i in range(len(amounts), len(names)))
        key = {"minute": minute, "shard": shard}
        call("update_item", self._table, key=key, update=update, names=names, values=values)

    def minutes(self, from_minute: int, to_minute: int) -> Mapping[int, Mapping[str, int]]:
        self._flush_minute()
        first = max(from_minute, to_minute - MINUTES_MAX + 1)
        return {minute: self._minute(minute) for minute in range(first, to_minute + 1)}

    def _minute(self, minute: int) -> Counter[str]:
        request = self._between(minute, "0", f"{SHARDS - 1}")
        return _sums(all_rows("query", request, TOTAL_ROWS_MAX))

    def totals(self) -> Mapping[str, int]:
        self._flush_totals()
        # Consistent, or a reader might see a total fall.
        request = {**self._between(TOTALS_MINUTE, TOTAL, TOTAL + "~"), "ConsistentRead": True}
        return _sums(all_rows("query", request, TOTAL_ROWS_MAX))

    def _between(self, minute: int, first: str, last: str) -> dict[str, Any]:
        return parameters(
            self._table,
            KeyConditionExpression="#m = :m AND #s BETWEEN :first AND :last",
            names={"#m": "minute", "#s": "shard"},
            values={":m": minute, ":first": first, ":last": last},
        )

    def set_gauge(self, name: str, value: int) -> None:
        key = {"minute": TOTALS_MINUTE, "shard": GAUGES}
        call("update_item", self._table, key=key, update="SET #n = :n", names={"#n": name}, values={":n": value})

    def gauges(self) -> Mapping[str, int]:
        row = get_item(self._table, {"minute": TOTALS_MINUTE, "shard": GAUGES}) or {}
        return {name: value for name, value in row.items() if name not in KEYS}


def _shard() -> str:
    return str(os.getpid() % SHARDS)


def _sums(rows: list[dict[str, Any]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for row in map(from_row, rows):
        total.update({name: value for name, value in row.items() if name not in KEYS})
    return total
