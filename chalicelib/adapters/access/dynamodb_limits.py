"""Token buckets in DynamoDB: a row each in the table `limits`, which expires once the bucket is full.

Taking a token is one conditional addition. Only a full or new bucket needs a second write, which resets it. Time to
live may delete late: an expired row means a full bucket, as no row does.
"""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.aws import ConditionFailed, Contended
from chalicelib.adapters.dynamodb import call, from_row, write_if
from chalicelib.domain.access.limits import Limit, wait_ms

# A round fails only if another process changed the bucket between its two writes.
ROUNDS_MAX = 4
# Longer than clock differences: a row must not expire before the bucket is full by every clock.
KEPT_S = 300


class DynamoLimits:
    """The port `Limits` over the table `limits`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "limits"

    def take(self, key: str, limit: Limit, now_ms: int) -> int:
        for _ in range(ROUNDS_MAX):
            try:
                self._take_from_used(key, limit, now_ms)
                return 0
            except ConditionFailed as refusal:
                row = from_row(refusal.item or {})
            wait = wait_ms(limit, row.get("full_at_ms", 0), now_ms)
            if wait:
                return wait
            try:
                self._take_from_full(key, limit, now_ms)
                return 0
            except ConditionFailed:
                continue
        raise Contended(f"concurrent changes of the bucket {key} won at every try")

    def give_back(self, key: str, limit: Limit) -> None:
        write_if(
            "update_item",
            self._table,
            key={"limit_id": key},
            update="SET full_at_ms = full_at_ms - :every",
            condition="attribute_exists(full_at_ms)",
            values={":every": limit.back_every_ms},
        )

    def _take_from_used(self, key: str, limit: Limit, now_ms: int) -> None:
        self._update(
            key,
            "SET full_at_ms = full_at_ms + :every, expires_at_s = :expires",
            {
                ":every": limit.back_every_ms,
                ":expires": _expires_at_s(limit, now_ms),
                ":now": now_ms,
                ":last": limit.last_ms(now_ms),
            },
            condition="full_at_ms BETWEEN :now AND :last",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def _take_from_full(self, key: str, limit: Limit, now_ms: int) -> None:
        self._update(
            key,
            "SET full_at_ms = :full, expires_at_s = :expires",
            {":full": now_ms + limit.back_every_ms, ":expires": _expires_at_s(limit, now_ms), ":now": now_ms},
            condition="attribute_not_exists(full_at_ms) OR full_at_ms < :now",
        )

    def _update(self, key: str, update: str, values: dict[str, Any], **more: str) -> None:
        call("update_item", self._table, key={"limit_id": key}, update=update, values=values, **more)


def _expires_at_s(limit: Limit, now_ms: int) -> int:
    return (now_ms + limit.span_ms) // 1000 + KEPT_S
