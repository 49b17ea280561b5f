"""What a line of the gateway's log says, checked: the log holds what strangers send."""

import json
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.ids import SESSION_ID, STREAM_ID

# How every line begins. Inside a line quotes are escaped, so this stands nowhere else in it.
BEGINNING = b'{"at":"'
# Ten times the longest segment that a stream may have; and more bytes than any answer.
MEDIA_MS_MAX = 100_000
BYTES_MAX = 1 << 40
STATUS_MAX = 599
# From 2001 to 2100: what lies outside is no clock's.
AT_S_MIN, AT_S_MAX = 1_000_000_000, 4_102_444_800


@dataclass(frozen=True, kw_only=True)
class Line:
    """One answer. `at_ms` is when its last byte was handed on; sessions and streams are empty where there is none."""

    at_ms: int
    method: str
    path: str
    session_id: str
    stream_id: str
    media: str
    media_ms: int
    complete: bool
    status: int
    size: int
    cache: str
    verdict: str


def line_of(text: bytes) -> Line | None:
    """What a line says; None if it is none of ours. Where it was cut short and another stands behind it, the other."""
    found = _parsed(text[text.rfind(BEGINNING) :] if BEGINNING in text else b"")
    method, at_s = found.get("method"), found.get("at_s")
    # What the origin server logs has no method.
    if not isinstance(method, str) or not isinstance(at_s, int | float) or not AT_S_MIN <= at_s < AT_S_MAX:
        return None
    session_id, stream_id = (_text(found, name) for name in ("session", "stream"))
    return Line(
        at_ms=round(at_s * 1000),
        method=method,
        path=_text(found, "path"),
        session_id=session_id if SESSION_ID.fullmatch(session_id) else "",
        stream_id=stream_id if STREAM_ID.fullmatch(stream_id) else "",
        media=_text(found, "media"),
        media_ms=_number(found, "media_ms", MEDIA_MS_MAX),
        complete=found.get("complete") is True,
        status=_number(found, "status", STATUS_MAX),
        size=_number(found, "bytes", BYTES_MAX),
        cache=_text(found, "cache"),
        verdict=_text(found, "verdict"),
    )


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _number(found: dict[str, Any], name: str, most: int) -> int:
    value = found.get(name)
    return value if type(value) is int and 0 <= value <= most else 0
