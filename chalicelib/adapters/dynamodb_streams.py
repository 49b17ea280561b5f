"""Streams in DynamoDB: one row each, its fields as in `domain.streams.Stream`, sources and renditions as maps."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from chalicelib.adapters.aws import ConditionFailed, client, translated
from chalicelib.adapters.dynamodb import get_item, page_of, to_row
from chalicelib.domain.errors import StreamExists
from chalicelib.domain.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.ladders import Rendition
from chalicelib.domain.streams import DesiredState, Latency, Stream
from chalicelib.ports import ListPage, RowRefused

FIELDS = frozenset(field.name for field in fields(Stream))


class DynamoStreams:
    """The port `Streams` over the table `streams`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "streams"

    def add(self, stream: Stream) -> None:
        """See the port."""
        try:
            self._put(stream, "attribute_not_exists(stream_id)", {})
        except ConditionFailed:
            raise StreamExists(f"There is a stream {stream.stream_id} already.") from None

    def get(self, stream_id: str) -> Stream | None:
        """See the port."""
        row = get_item(self._table, {"stream_id": stream_id})
        return _stream(row) if row else None

    def list(self, *, limit: int, cursor: str | None) -> ListPage[Stream]:
        """See the port. Read consistently: a worker that looks for work must see what an operator has just set."""
        request = {"TableName": self._table, "Limit": limit, "ConsistentRead": True}
        return page_of("scan", request, cursor, _stream, position=["stream_id"])

    def replace(self, seen: Stream, new: Stream) -> None:
        """See the port."""
        try:
            self._put(replace(new, version=seen.version + 1), "version = :seen", {":seen": seen.version})
        except ConditionFailed:
            raise RowRefused from None

    def _put(self, stream: Stream, condition: str, values: dict[str, Any]) -> None:
        request: dict[str, Any] = {"ConditionExpression": condition}
        if values:
            request["ExpressionAttributeValues"] = to_row(values)
        with translated():
            client("dynamodb").put_item(TableName=self._table, Item=_row(stream), **request)


def _row(stream: Stream) -> dict[str, Any]:
    ladder = [_map(rendition) for rendition in stream.custom_renditions]
    backups = [_map(source) for source in stream.backups]
    return to_row({**vars(stream), "ingest": _map(stream.ingest), "backups": backups, "custom_renditions": ladder})


def _map(part: Ingest | Rendition) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if value is not None}


def _ingest(row: dict[str, Any]) -> Ingest:
    protocol = ListenProtocol(row["protocol"]) if "protocol" in row else None
    return Ingest(**{**row, "mode": IngestMode(row["mode"]), "protocol": protocol})


def _stream(row: dict[str, Any]) -> Stream:
    # Attributes that a newer version has added are none of ours.
    known = {name: value for name, value in row.items() if name in FIELDS}
    values = {
        "ingest": _ingest(row["ingest"]),
        "backups": tuple(_ingest(source) for source in row["backups"]),
        "custom_renditions": tuple(Rendition(**rendition) for rendition in row["custom_renditions"]),
        "latency": Latency(row["latency"]),
        "desired_state": DesiredState(row["desired_state"]),
    }
    return Stream(**{**known, **values})
