"""Minute counters: summed in the process, written every few seconds at most, never at every heartbeat.

A row is a minute and one of a few shards, so that processes do not contend for one item. Counts that were not flushed
are lost with their process: they are for monitoring, not for money. The gateway's counters are in the same table
(`dynamodb_usage.py`), in named shards.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from chalicelib.adapters.dynamodb import call, from_row
from chalicelib.ports.common import Clock, StoreUnavailable

FLUSH_EVERY_MS = 5_000
SHARDS = 8
KEEP_S = 7 * 24 * 3600
MINUTES_MAX = 60


class DynamoCounters:
    """The port `Counters` over the table `metrics`."""

    def __init__(self, table_prefix: str, clock: Clock) -> None:
        self._table = table_prefix + "metrics"
        self._clock = clock
        self._pending: Counter[str] = Counter()
        self._flush_at_ms = 0

    def add(self, name: str, amount: int = 1) -> None:
        self._pending[name] += amount

    def flush_if_due(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms < self._flush_at_ms:
            return
        self._flush_at_ms = now_ms + FLUSH_EVERY_MS
        with suppress(StoreUnavailable):
            self._flush()

    def _flush(self) -> None:
        pending, self._pending = self._pending, Counter()
        if not pending:
            return
        now_ms = self._clock.now_ms()
        names = {f"#n{i}": name for i, name in enumerate(pending)}
        amounts = {f":n{i}": amount for i, amount in enumerate(pending.values())}
        try:
            call(
                "update_item",
                self._table,
                key={"minute": now_ms // 60_000, "shard": f"{os.getpid() % SHARDS}"},
                update="ADD " + ", ".join(f"#n{i} :n{i}" for i in range(len(pending))) + " SET expires_at_s = :expires",
                names=names,
                values={**amounts, ":expires": now_ms // 1000 + KEEP_S},
            )
        except Exception:
            self._pending += pending
            raise

    def minutes(self, from_minute: int, to_minute: int) -> Mapping[int, Mapping[str, int]]:
        self._flush()
        first = max(from_minute, to_minute - MINUTES_MAX + 1)
        return {minute: self._minute(minute) for minute in range(first, to_minute + 1)}

    def _minute(self, minute: int) -> Counter[str]:
        answer = call(
            "query",
            self._table,
            KeyConditionExpression="#m = :m AND #s BETWEEN :first AND :last",
            names={"#m": "minute", "#s": "shard"},
            values={":m": minute, ":first": "0", ":last": f"{SHARDS - 1}"},
        )
        total: Counter[str] = Counter()
        for row in map(from_row, answer.get("Items", [])):
            total.update({k: v for k, v in row.items() if k not in ("minute", "shard", "expires_at_s")})
        return total
