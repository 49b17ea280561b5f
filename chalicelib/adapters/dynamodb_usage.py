"""What was served, in the table `usage`.

A row is a session (or a day, `day:YYYY-MM-DD`): media_ms, media_bytes, segments, requests, first_at_ms, last_at_ms,
expires_at_s, and `b_<follower>`, the last batch that this follower added. The row `followers` holds `m_<follower>`, how
far each has come.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.adapters.aws import ConditionFailed, client, translated
from chalicelib.adapters.dynamodb import get_item, to_row
from chalicelib.domain.usage import Served

KEEP_S = 90 * 24 * 3600
FOLLOWERS = "followers"
ADDED = ("media_ms", "media_bytes", "segments", "requests")


class DynamoUsage:
    """The port `Usage`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "usage"

    def add(self, key: str, served: Served, *, follower: str, batch: int, now_ms: int) -> bool:
        """See the port. The number of the batch is in the same write, so a write whose answer is lost is known."""
        values = {f":{name}": getattr(served, name) for name in ADDED}
        values |= {":first": served.first_at_ms, ":last": served.last_at_ms, ":batch": batch}
        values[":expires"] = now_ms // 1000 + KEEP_S
        try:
            with translated():
                client("dynamodb").update_item(
                    TableName=self._table,
                    Key=to_row({"session_id": key}),
                    UpdateExpression="ADD "
                    + ", ".join(f"#{name} :{name}" for name in ADDED)
                    + " SET first_at_ms = if_not_exists(first_at_ms, :first), last_at_ms = :last,"
                    " expires_at_s = :expires, #b = :batch",
                    ConditionExpression="attribute_not_exists(#b) OR #b < :batch",
                    # Some of them are words of the store's own.
                    ExpressionAttributeNames={"#b": f"b_{follower}", **{f"#{name}": name for name in ADDED}},
                    ExpressionAttributeValues=to_row(values),
                )
        except ConditionFailed:
            return False
        return True

    def get(self, key: str) -> Served | None:
        """See the port."""
        row = get_item(self._table, {"session_id": key})
        return Served(**{name: row[name] for name in Served.__dataclass_fields__}) if row else None

    def mark(self, follower: str, through_ms: int) -> None:
        """See the port."""
        with translated():
            client("dynamodb").update_item(
                TableName=self._table,
                Key=to_row({"session_id": FOLLOWERS}),
                UpdateExpression="SET #m = :through",
                ExpressionAttributeNames={"#m": f"m_{follower}"},
                ExpressionAttributeValues=to_row({":through": through_ms}),
            )

    def marks(self) -> Mapping[str, int]:
        """See the port."""
        row = get_item(self._table, {"session_id": FOLLOWERS}) or {}
        return {name[2:]: value for name, value in row.items() if name.startswith("m_")}
