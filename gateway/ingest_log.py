"""What a line of the ingest's nginx says of a sender: the stream and why it was refused or ended.

nginx sends its lines as syslog messages, one a datagram. A line of the RTMP part names a connection by its number. The
module logs the stream of a connection once the endpoints have let its sender in, and only that line is believed: a
stranger can write any name and any words into other lines.
"""

import re
from collections import OrderedDict

from chalicelib.domain.ids import STREAM_ID
from chalicelib.domain.streams.ingest_refusals import RefusalCode

# What precedes a line: priority, time and tag of syslog.
_SYSLOG = r"<\d{1,3}>\w{3} [ \d]\d \d\d:\d\d:\d\d ingest: "
# The hook's part writes one for each answer of the endpoints that names a refusal.
_REFUSED = re.compile(_SYSLOG + r"refused (?P<stream>[a-z0-9-]{1,63}) (?P<code>[a-z_]{1,40})")
# A connection is known by nginx's process and its number, since each process counts from 1.
_OF_CONNECTION = re.compile(
    _SYSLOG + r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[\w+\] (?P<connection>\d+#\d+: \*\d+) (?P<words>.*)", re.DOTALL
)
# The place that a sender is led to: the stream's name and a digest of its key, see gateway/ingest_access.py.
_LET_IN = re.compile(r"notify: publish redirect to '(?P<stream>[a-z0-9-]{1,63})-[0-9a-f]{32}', client: ")
_OVER = re.compile(r"disconnect, client: ")
_REASONS = (
    (re.compile(r"live: already publishing, client: "), RefusalCode.ALREADY_SENDING),
    (re.compile(r"live: drop idle publisher, client: "), RefusalCode.SILENT),
    (re.compile(r"RTMP in chunk stream too big: \d+ >= \d+, client: "), RefusalCode.CHUNKS_REFUSED),
    (re.compile(r"too big RTMP chunk size:\d+, client: "), RefusalCode.CHUNKS_REFUSED),
    (re.compile(r"(?:malloc|posix_memalign)\([\d, ]+\) failed \("), RefusalCode.OUT_OF_MEMORY),
)
# More than nginx takes at a time (`max_connections`), since the line that ends one may be lost.
CONNECTIONS_MAX = 256


class IngestLog:
    """Understands the lines of one nginx, in their order."""

    def __init__(self) -> None:
        self._streams: OrderedDict[str, str] = OrderedDict()

    def read(self, datagram: bytes) -> tuple[str, RefusalCode] | None:
        """The stream that a line is about and why its sender was refused; None for all other lines."""
        line = datagram.decode(errors="replace").rstrip("\n")
        if said := _REFUSED.fullmatch(line):
            return _refused(said["stream"], said["code"])
        found = _OF_CONNECTION.fullmatch(line)
        return self._of_connection(found["connection"], found["words"]) if found else None

    def _of_connection(self, connection: str, words: str) -> tuple[str, RefusalCode] | None:
        if let_in := _LET_IN.match(words):
            self._streams[connection] = let_in["stream"]
            if len(self._streams) > CONNECTIONS_MAX:
                self._streams.popitem(last=False)
        elif _OVER.match(words):
            self._streams.pop(connection, None)
        elif stream_id := self._streams.get(connection):
            return next(((stream_id, code) for reason, code in _REASONS if reason.match(words)), None)
        return None


def _refused(stream_id: str, code: str) -> tuple[str, RefusalCode] | None:
    known = code in list(RefusalCode) and STREAM_ID.fullmatch(stream_id)
    return (stream_id, RefusalCode(code)) if known else None
