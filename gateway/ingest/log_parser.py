"""The parser of the ingest's nginx log: it extracts which stream's sender was refused or ended, and why.

nginx sends its lines as syslog messages, one in each datagram. A line of the RTMP part names a connection by its
number. The module logs the stream of a connection after the endpoints have accepted its sender. The parser trusts that
line only, since a stranger can write any name and any text into other lines.
"""

import re
from collections import OrderedDict

from chalicelib.domain.ids import STREAM_ID
from chalicelib.domain.streams.issues.ingest_refusals import RefusalCode

# Syslog's priority, time and tag.
_SYSLOG = r"<\d{1,3}>\w{3} [ \d]\d \d\d:\d\d:\d\d ingest: "
# The HTTP part logs this for each response of the endpoints that contains a refusal.
_REFUSED = re.compile(_SYSLOG + r"refused (?P<stream>[a-z0-9-]{1,63}) (?P<code>[a-z_]{1,40})")
# A connection is identified by nginx's process and its number, since each process counts from 1.
_OF_CONNECTION = re.compile(
    _SYSLOG + r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[\w+\] (?P<connection>\d+#\d+: \*\d+) (?P<message>.*)", re.DOTALL
)
# The redirect of an accepted sender, to the stream's name with a digest of its key (gateway/ingest/access.py).
_ACCEPTED = re.compile(r"notify: publish redirect to '(?P<stream>[a-z0-9-]{1,63})-[0-9a-f]{32}', client: ")
_DISCONNECTED = re.compile(r"disconnect, client: ")
_REASONS = (
    (re.compile(r"live: already publishing, client: "), RefusalCode.ALREADY_SENDING),
    (re.compile(r"live: drop idle publisher, client: "), RefusalCode.SILENT),
    (re.compile(r"RTMP in chunk stream too big: \d+ >= \d+, client: "), RefusalCode.CHUNKS_REFUSED),
    (re.compile(r"too big RTMP chunk size:\d+, client: "), RefusalCode.CHUNKS_REFUSED),
    (re.compile(r"(?:malloc|posix_memalign)\([\d, ]+\) failed \("), RefusalCode.OUT_OF_MEMORY),
)
# More than nginx accepts (`max_connections`), since the line of a disconnect may be lost.
CONNECTIONS_MAX = 256


class IngestLogParser:
    """Parses the lines of one nginx, in their order."""

    def __init__(self) -> None:
        self._streams: OrderedDict[str, str] = OrderedDict()

    def parse(self, datagram: bytes) -> tuple[str, RefusalCode] | None:
        """Return the stream of a refused or ended sender and the reason, or None for any other line."""
        line = datagram.decode(errors="replace").rstrip("\n")
        if refused := _REFUSED.fullmatch(line):
            return _parse_refusal(refused["stream"], refused["code"])
        found = _OF_CONNECTION.fullmatch(line)
        return self._parse_message(found["connection"], found["message"]) if found else None

    def _parse_message(self, connection: str, message: str) -> tuple[str, RefusalCode] | None:
        if accepted := _ACCEPTED.match(message):
            self._streams[connection] = accepted["stream"]
            if len(self._streams) > CONNECTIONS_MAX:
                self._streams.popitem(last=False)
        elif _DISCONNECTED.match(message):
            self._streams.pop(connection, None)
        elif stream_id := self._streams.get(connection):
            return next(((stream_id, code) for reason, code in _REASONS if reason.match(message)), None)
        return None


def _parse_refusal(stream_id: str, code: str) -> tuple[str, RefusalCode] | None:
    is_valid = code in list(RefusalCode) and STREAM_ID.fullmatch(stream_id)
    return (stream_id, RefusalCode(code)) if is_valid else None
