"""Streams in DynamoDB: one row each with the fields of `Stream`; sources and renditions are maps.

The SRT port changes owner in the transaction that writes the row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chalicelib.adapters.aws import Contended, TransactionRefused
from chalicelib.adapters.dynamodb import from_row, get_item, known, page_of, parameters, transact
from chalicelib.adapters.streams.dynamodb_srt_ports import give_port, owner_of, take_port
from chalicelib.domain.errors import StreamExists
from chalicelib.domain.streams.ingest import Ingest, IngestMode, IngestPortTaken, ListenProtocol
from chalicelib.domain.streams.ladders import Rendition
from chalicelib.domain.streams.pacing import Latency
from chalicelib.domain.streams.stream import DesiredState, SessionBinding, Stream
from chalicelib.domain.versions import Change
from chalicelib.ports.common import ListPage, RowRefused, StoreUnavailable


class DynamoStreams:
    """The port `Streams` over the table `streams` and the SRT ports in `limits`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "streams"
        self._limits = table_prefix + "limits"

    def add(self, stream: Stream) -> None:
        try:
            self._write(self._put(stream, condition="attribute_not_exists(stream_id)"), None, stream)
        except _Unmet:
            raise StreamExists(f"The stream {stream.stream_id} already exists. Choose another id.") from None

    def get(self, stream_id: str) -> Stream | None:
        row = get_item(self._table, {"stream_id": stream_id})
        return _stream(row) if row else None

    def list(self, *, limit: int, cursor: str | None) -> ListPage[Stream]:
        """Read consistently, so that a worker sees what an operator has just set."""
        request = {"TableName": self._table, "Limit": limit, "ConsistentRead": True}
        return page_of("scan", request, cursor, _stream, position=["stream_id"])

    def replace(self, seen: Stream, new: Stream) -> None:
        changed = replace(new, version=seen.version + 1)
        put = self._put(changed, condition="version = :seen", values={":seen": seen.version})
        try:
            self._write(put, seen.srt_port, new)
        except _Unmet:
            raise RowRefused from None

    def port_owner(self, port: int) -> str | None:
        return owner_of(self._limits, port)

    def _put(self, stream: Stream, **condition: Any) -> dict[str, Any]:
        ladder, backups = list(map(vars, stream.custom_renditions)), list(map(vars, stream.backups))
        parts: dict[str, Any] = {"ingest": vars(stream.ingest), "backups": backups, "custom_renditions": ladder}
        parts["changes"] = list(map(vars, stream.changes))
        return parameters(self._table, item={**vars(stream), **parts}, **condition)

    def _write(self, put: dict[str, Any], port_before: int | None, stream: Stream) -> None:
        """Write the row, and its port if that changed. Raise `_Unmet` if the row's condition failed."""
        port, parts = stream.srt_port, [{"Put": put}]
        if port != port_before:
            parts += [take_port(self._limits, port, stream.stream_id)] if port is not None else []
            parts += [give_port(self._limits, port_before)] if port_before is not None else []
        try:
            transact(*parts)
        except Contended:
            raise RowRefused from None
        except TransactionRefused as refusal:
            raise _meaning(refusal, port) from None


class _Unmet(Exception):
    """The condition on a stream's own row did not hold."""


def _meaning(refusal: TransactionRefused, port: int | None) -> Exception:
    """Return the error of a refused write. Only the row and the taking of a port have a condition."""
    row, *ports = refusal.codes
    if row == "ConditionalCheckFailed":
        return _Unmet()
    if port is not None and "ConditionalCheckFailed" in ports:
        return IngestPortTaken(port, from_row(refusal.items[1] or {})["owner_id"])
    return RowRefused() if "TransactionConflict" in refusal.codes else StoreUnavailable(str(refusal))


def _ingest(row: dict[str, Any]) -> Ingest:
    protocol = ListenProtocol(row["protocol"]) if "protocol" in row else None
    return Ingest(**{**row, "mode": IngestMode(row["mode"]), "protocol": protocol})


def _stream(row: dict[str, Any]) -> Stream:
    values = {
        "ingest": _ingest(row["ingest"]),
        "backups": tuple(_ingest(source) for source in row["backups"]),
        "custom_renditions": tuple(Rendition(**rendition) for rendition in row["custom_renditions"]),
        "latency": Latency(row["latency"]),
        "session_binding": SessionBinding(row["session_binding"]),
        "desired_state": DesiredState(row["desired_state"]),
        "changes": tuple(Change(**change) for change in row.get("changes", ())),
    }
    return Stream(**{**known(Stream, row), **values})
