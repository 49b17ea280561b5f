"""Addresses and user agents of viewers and operators in DynamoDB, each in a row that expires.

Sessions and audit entries live longer. They are other rows, so they stay unchanged when an address expires. DynamoDB
deletes expired rows within days; until then the adapter does not return them. The attribute `elsewhere` is set once
another client has requested a bound session's media. It is no field of `Client`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.adapters import aws
from chalicelib.adapters.aws import ConditionFailed, translated
from chalicelib.adapters.dynamodb import all_rows, call, from_row, get_item, get_items, known, parameters, write_if
from chalicelib.domain.access.clients import Client, login_key
from chalicelib.domain.timeline import LoginEvent, login_event

S_PER_DAY = 86_400
# DynamoDB's limit for a batch.
WRITE_AT_ONCE = 25


class DynamoClients:
    """The port `Clients` over the table `clients`."""

    def __init__(self, table_prefix: str, address_days: int) -> None:
        self._table = table_prefix + "clients"
        self._kept_s = address_days * S_PER_DAY

    def put(self, key: str, user_id: str, client: Client, now_ms: int, **condition: Any) -> None:
        expires_at_s = now_ms // 1000 + self._kept_s
        item = {"client_id": key, "user_id": user_id, **vars(client), "expires_at_s": expires_at_s}
        call("put_item", self._table, item=item, **condition)

    def get_many(self, keys: Iterable[str], now_ms: int) -> Mapping[str, Client]:
        # Callers only display the result, so keys that DynamoDB did not process may be missing.
        rows = map(from_row, get_items(self._table, "client_id", keys))
        return {row["client_id"]: _client(row) for row in rows if _is_kept(row, now_ms)}

    def bind(self, key: str, user_id: str, client: Client, now_ms: int) -> Client:
        # Most calls find a client, and a read costs less than a write. The condition settles concurrent first calls.
        row = get_item(self._table, {"client_id": key})
        if row and _is_kept(row, now_ms):
            return _client(row)
        try:
            self.put(
                key,
                user_id,
                client,
                now_ms,
                condition="attribute_not_exists(client_id) OR expires_at_s <= :now",
                values={":now": now_ms // 1000},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as refusal:
            return _client(from_row(refusal.item or {}))
        return client

    def mark_elsewhere(self, key: str) -> bool:
        return write_if(
            "update_item",
            self._table,
            key={"client_id": key},
            update="SET elsewhere = :yes",
            condition="attribute_exists(client_id) AND attribute_not_exists(elsewhere)",
            values={":yes": True},
        )

    def logins_of_user(self, user_id: str, *, until_ms: int, limit: int, now_ms: int) -> Sequence[LoginEvent]:
        request = parameters(
            self._table,
            IndexName="by_user",
            KeyConditionExpression="user_id = :user AND client_id BETWEEN :first AND :last",
            # The keys of a millisecond are after its number.
            values={":user": user_id, ":first": login_key(0, ""), ":last": login_key(until_ms + 1, "")},
            ScanIndexForward=False,
            Limit=limit,
        )
        rows = [from_row(row) for row in all_rows("query", request, limit)]
        return [login_event(row["client_id"], _client(row)) for row in rows if _is_kept(row, now_ms)]

    def delete(self, key: str) -> None:
        call("delete_item", self._table, key={"client_id": key})

    def delete_of_user(self, user_id: str, limit: int) -> int:
        # The index lags by seconds, so it may list deleted rows. Deleting a row again has no effect.
        rows = call(
            "query",
            self._table,
            IndexName="by_user",
            KeyConditionExpression="user_id = :user",
            values={":user": user_id},
            Limit=limit,
        )["Items"]
        deletes = [{"DeleteRequest": {"Key": {"client_id": row["client_id"]}}} for row in rows]
        for first in range(0, len(deletes), WRITE_AT_ONCE):
            with translated():
                # DynamoDB may leave some rows unprocessed. The next call deletes them.
                batch = deletes[first : first + WRITE_AT_ONCE]
                aws.client("dynamodb").batch_write_item(RequestItems={self._table: batch})
        return len(deletes)


def _is_kept(row: dict[str, Any], now_ms: int) -> bool:
    return bool(now_ms // 1000 < row["expires_at_s"])


def _client(row: dict[str, Any]) -> Client:
    return Client(**known(Client, row))
