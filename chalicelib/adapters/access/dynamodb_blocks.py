"""Blocks in DynamoDB: a row for each user and scope, which is a stream id or `*` for all streams.

The index `by_until` has all rows under one key, since blocks are few: a person makes each. Rows expire at their end;
DynamoDB deletes them within days, so every read compares the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.adapters.dynamodb import all_rows, call, from_row, known, page_of, parameters
from chalicelib.domain.access.blocks import Block
from chalicelib.ports.common import ListPage

ALL_STREAMS = "*"
LISTED = "block"
# More streams than one user is blocked on.
ROWS_MAX = 10_000


class DynamoBlocks:
    """The port `Blocks` over the table `blocks`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "blocks"

    def put(self, block: Block) -> None:
        item = {**vars(block), **_key(block.user_id, block.stream_id), "listed": LISTED}
        call("put_item", self._table, item={**item, "expires_at_s": block.until_ms // 1000 + 1})

    def remove(self, user_id: str, stream_id: str | None) -> Block | None:
        row = call("delete_item", self._table, key=_key(user_id, stream_id), ReturnValues="ALL_OLD").get("Attributes")
        return _block(from_row(row)) if row else None

    def of_user(self, user_id: str, now_ms: int) -> Sequence[Block]:
        request = parameters(
            self._table,
            KeyConditionExpression="user_id = :user",
            FilterExpression="until_ms > :now",
            values={":user": user_id, ":now": now_ms},
            ConsistentRead=True,
        )
        return [_block(from_row(row)) for row in all_rows("query", request, ROWS_MAX)]

    def in_force(self, now_ms: int, *, stream_id: str | None, limit: int, cursor: str | None) -> ListPage[Block]:
        request = parameters(
            self._table,
            IndexName="by_until",
            KeyConditionExpression="listed = :listed AND until_ms > :now",
            FilterExpression="stream_id = :stream" if stream_id else None,
            values={":listed": LISTED, ":now": now_ms, **({":stream": stream_id} if stream_id else {})},
            Limit=limit,
        )
        position = ("listed", "until_ms", "user_id", "scope")
        return page_of("query", request, cursor, _block, position=position, within={"listed": LISTED})


def _key(user_id: str, stream_id: str | None) -> dict[str, str]:
    return {"user_id": user_id, "scope": stream_id or ALL_STREAMS}


def _block(row: dict[str, Any]) -> Block:
    return Block(**{"stream_id": None, **known(Block, row)})
