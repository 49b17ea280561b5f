"""Token buckets in DynamoDB: a row each in the table `limits`, which expires once it is full again.

A taking is one conditional addition. Only a bucket that is full, or new, needs a second write, which begins it anew.
Time to live deletes late, and may: a row that has expired says that the bucket is full, as no row does.
"""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.aws import ConditionFailed, Contended, client, translated
from chalicelib.adapters.dynamodb import from_row, to_row
from chalicelib.domain.access.limits import Limit, wait_ms

# Each round that takes nothing means that somebody else took or gave back between its two writes.
ROUNDS_MAX = 4
# Longer than clocks differ: a row must not be gone before it is full for everybody.
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
        raise Contended(f"the bucket {key} was taken from by others at every try")

    def give_back(self, key: str, limit: Limit) -> None:
        try:
            self._update(
                key,
                "SET full_at_ms = full_at_ms - :every",
                {":every": limit.back_every_ms},
                ConditionExpression="attribute_exists(full_at_ms)",
            )
        except ConditionFailed:
            return

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
            ConditionExpression="full_at_ms BETWEEN :now AND :last",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def _take_from_full(self, key: str, limit: Limit, now_ms: int) -> None:
        self._update(
            key,
            "SET full_at_ms = :full, expires_at_s = :expires",
            {":full": now_ms + limit.back_every_ms, ":expires": _expires_at_s(limit, now_ms), ":now": now_ms},
            ConditionExpression="attribute_not_exists(full_at_ms) OR full_at_ms < :now",
        )

    def _update(self, key: str, update: str, values: dict[str, Any], **more: str) -> None:
        with translated():
            client("dynamodb").update_item(
                TableName=self._table,
                Key=to_row({"limit_id": key}),
                UpdateExpression=update,
                ExpressionAttributeValues=to_row(values),
                **more,
            )


def _expires_at_s(limit: Limit, now_ms: int) -> int:
    return (now_ms + limit.span_ms) // 1000 + KEPT_S
