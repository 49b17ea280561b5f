"""Service keys in DynamoDB: a row for each, read at every request of a key."""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.aws import ConditionFailed
from chalicelib.adapters.dynamodb import all_rows, call, from_row, get_item, known, page_of, parameters, write_if
from chalicelib.domain.access.service_keys import LISTED_DAYS, MS_PER_DAY, KeySecret, Scope, ServiceKey
from chalicelib.ports.common import ListPage, RowRefused

# More rows than a stage can have: `KEYS_MAX` usable keys, and those of some years.
ROWS_MAX = 10_000


class DynamoServiceKeys:
    """The port `ServiceKeyStore` over the table `service_keys`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "service_keys"

    def add(self, key: ServiceKey) -> None:
        item = {**vars(key), "secrets": _secrets(key), "expires_at_s": _expires_at_s(key)}
        call("put_item", self._table, item=item, condition="attribute_not_exists(key_id)")

    def remove(self, key_id: str) -> None:
        call("delete_item", self._table, key={"key_id": key_id})

    def get(self, key_id: str) -> ServiceKey | None:
        row = get_item(self._table, {"key_id": key_id})
        return _key(row) if row else None

    def list(self, *, limit: int, cursor: str | None) -> ListPage[ServiceKey]:
        return page_of("scan", {"TableName": self._table, "Limit": limit}, cursor, _key, position=["key_id"])

    def count_usable(self, now_ms: int) -> int:
        request = parameters(
            self._table,
            FilterExpression="expires_at_ms > :now AND attribute_not_exists(revoked_at_ms)",
            values={":now": now_ms},
            ConsistentRead=True,
        )
        return len(all_rows("scan", request, ROWS_MAX))

    def rotate(self, seen: ServiceKey, new: ServiceKey) -> None:
        written = write_if(
            "update_item",
            self._table,
            key={"key_id": seen.key_id},
            update="SET secrets = :secrets, expires_at_ms = :expires, expires_at_s = :gone",
            condition="secrets = :seen AND expires_at_ms = :until AND attribute_not_exists(revoked_at_ms)",
            values={
                ":secrets": _secrets(new),
                ":expires": new.expires_at_ms,
                ":gone": _expires_at_s(new),
                ":seen": _secrets(seen),
                ":until": seen.expires_at_ms,
            },
        )
        if not written:
            raise RowRefused

    def revoke(self, key_id: str, now_ms: int) -> ServiceKey | None:
        try:
            answer = call(
                "update_item",
                self._table,
                key={"key_id": key_id},
                update="SET revoked_at_ms = if_not_exists(revoked_at_ms, :now)",
                condition="attribute_exists(key_id)",
                values={":now": now_ms},
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            return None
        return _key(from_row(answer["Attributes"]))

    def mark_used(self, key_id: str, now_ms: int) -> None:
        write_if(
            "update_item",
            self._table,
            key={"key_id": key_id},
            update="SET last_used_at_ms = :now",
            condition="attribute_exists(key_id) AND (attribute_not_exists(last_used_at_ms) OR last_used_at_ms < :now)",
            values={":now": now_ms},
        )


def _secrets(key: ServiceKey) -> list[dict[str, Any]]:
    return [{name: value for name, value in vars(each).items() if value is not None} for each in key.secrets]


def _expires_at_s(key: ServiceKey) -> int:
    return (key.expires_at_ms + LISTED_DAYS * MS_PER_DAY) // 1000


def _key(row: dict[str, Any]) -> ServiceKey:
    values = {
        "scopes": tuple(Scope(each) for each in row["scopes"]),
        "secrets": tuple(KeySecret(**known(KeySecret, each)) for each in row["secrets"]),
    }
    return ServiceKey(**{**known(ServiceKey, row), **values})
