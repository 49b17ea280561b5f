"""The port `Streams` in memory."""

import threading
from dataclasses import replace

from chalicelib.domain.errors import StreamExists
from chalicelib.domain.streams.ingest import IngestPortTaken
from chalicelib.domain.streams.stream import Stream
from chalicelib.ports.common import ListPage, RowRefused
from tests.fakes.simple import page_of


class MemoryStreams:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, Stream] = {}
        self._ports: dict[int, str] = {}

    def add(self, stream: Stream) -> None:
        with self._lock:
            if stream.stream_id in self._rows:
                raise StreamExists(stream.stream_id)
            self._move(None, stream)
            self._rows[stream.stream_id] = stream

    def get(self, stream_id: str) -> Stream | None:
        return self._rows.get(stream_id)

    def list(self, *, limit: int, cursor: str | None) -> ListPage[Stream]:
        return page_of(self._rows.values(), limit, cursor)

    def replace(self, seen: Stream, new: Stream) -> None:
        with self._lock:
            stored = self._rows.get(seen.stream_id)
            if stored is None or stored.version != seen.version:
                raise RowRefused
            self._move(stored.srt_port, new)
            self._rows[seen.stream_id] = replace(new, version=seen.version + 1)

    def port_owner(self, port: int) -> str | None:
        return self._ports.get(port)

    def _move(self, port_before: int | None, new: Stream) -> None:
        port = new.srt_port
        if port == port_before:
            return
        if port is not None:
            if port in self._ports:
                raise IngestPortTaken(port, self._ports[port])
            self._ports[port] = new.stream_id
        if port_before is not None:
            del self._ports[port_before]
