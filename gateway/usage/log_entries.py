"""Entries of the gateway's access log, validated: clients choose parts of them."""

import json
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.ids import SESSION_ID, STREAM_ID

# The start of every line. nginx escapes quotes inside a line, so it occurs nowhere else.
LINE_START = b'{"at":"'
# Ten times the longest segment of a stream, and more bytes than any response.
MEDIA_MS_MAX = 100_000
BYTES_MAX = 1 << 40
STATUS_MAX = 599
# The years 2001 to 2100.
AT_S_MIN, AT_S_MAX = 1_000_000_000, 4_102_444_800


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One response. `at_ms` is the time of its last byte; `session_id` and `stream_id` are empty if unknown.

    `size` is all that was sent, `body_size` that without headers, from the byte `first_byte` of the segment.
    `segment_size` is the size of the whole segment, 0 if unknown. `is_open` says that the response is still being sent;
    another entry follows at its end.
    """

    at_ms: int
    method: str
    path: str
    session_id: str
    stream_id: str
    media: str
    media_ms: int
    complete: bool
    is_open: bool
    status: int
    size: int
    segment_size: int
    first_byte: int
    body_size: int
    cache: str
    verdict: str


def parse_entry(line: bytes) -> LogEntry | None:
    """Return the entry of a line, None if it is invalid. Of a truncated line and one behind it, return the latter."""
    fields = _parse_json(line[line.rfind(LINE_START) :] if LINE_START in line else b"")
    method, at_s = fields.get("method"), fields.get("at_s")
    # The origin server's entries have no method.
    if not isinstance(method, str) or not isinstance(at_s, int | float) or not AT_S_MIN <= at_s < AT_S_MAX:
        return None
    session_id, stream_id = (_text(fields, name) for name in ("session", "stream"))
    return LogEntry(
        at_ms=round(at_s * 1000),
        method=method,
        path=_text(fields, "path"),
        session_id=session_id if SESSION_ID.fullmatch(session_id) else "",
        stream_id=stream_id if STREAM_ID.fullmatch(stream_id) else "",
        media=_text(fields, "media"),
        media_ms=_number(fields, "media_ms", MEDIA_MS_MAX),
        complete=fields.get("complete") is True,
        is_open=fields.get("open") is True,
        status=_number(fields, "status", STATUS_MAX),
        size=_number(fields, "bytes", BYTES_MAX),
        segment_size=_number(fields, "segment_bytes", BYTES_MAX),
        first_byte=_number(fields, "first_byte", BYTES_MAX),
        body_size=_number(fields, "body_bytes", BYTES_MAX),
        cache=_text(fields, "cache"),
        verdict=_text(fields, "verdict"),
    )


def _parse_json(text: bytes) -> dict[str, Any]:
    # nginx writes bytes of addresses and user agents as they came, so a client could send some that are not UTF-8. Its
    # media counts all the same.
    try:
        value = json.loads(text.decode(errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _number(fields: dict[str, Any], name: str, maximum: int) -> int:
    value = fields.get(name)
    return value if type(value) is int and 0 <= value <= maximum else 0
