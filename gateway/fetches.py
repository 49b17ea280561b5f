"""What a line of the gateway's log says of media, and what many of them say together."""

import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.ids import SESSION_ID
from chalicelib.domain.usage import Served, day_key, day_of

SERVED_STATUS = (200, 206)
SEGMENT = re.compile(r"[a-z0-9]+/([a-z0-9-]+)\.ts")
PLAYLIST = re.compile(r"(?:[a-z0-9]+/)?index\.m3u8")
NUMBER = re.compile(r"(.*-)?([0-9]{1,18})")
# How every line begins. Inside a line quotes are escaped, so this stands nowhere else in it.
BEGINNING = b'{"at":"'
# Ten times the longest segment that a stream may have; and more bytes than any answer.
MEDIA_MS_MAX = 100_000
BYTES_MAX = 1 << 40
# A session that fetches nothing for so long has ended: the reaper ends it after 10 minutes.
IDLE_MS = 1_200_000
SESSIONS_MAX = 20_000
SPANS_MAX = 64


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """One answer that went to a session. `segment` names it without its rendition, None if no media time was served."""

    session_id: str
    segment: str | None
    media_ms: int
    size: int
    at_ms: int


def fetch_of(line: bytes) -> Fetch | None:
    """What a line says; None if that is nothing about media served, or it is no line of ours.

    Where a line was cut short and another was written behind it, the other counts.
    """
    found = _parsed(line[line.rfind(BEGINNING) :] if BEGINNING in line else b"")
    if found is None or found.get("status") not in SERVED_STATUS:
        return None
    session_id, media, at = (found.get(name) for name in ("session", "media", "at"))
    size, media_ms = (
        _number(found.get(name), most) for name, most in (("bytes", BYTES_MAX), ("media_ms", MEDIA_MS_MAX))
    )
    if not (isinstance(session_id, str) and SESSION_ID.fullmatch(session_id) and isinstance(media, str)):
        return None
    at_ms = _moment_ms(at)
    segment = SEGMENT.fullmatch(media)
    if at_ms is None or not (segment or PLAYLIST.fullmatch(media)):
        return None
    whole = segment and found.get("complete") is True and found.get("method") == "GET" and media_ms > 0
    return Fetch(
        session_id=session_id,
        segment=segment[1] if segment and whole else None,
        media_ms=media_ms if whole else 0,
        size=size,
        at_ms=at_ms,
    )


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _number(value: object, most: int) -> int:
    return value if type(value) is int and 0 <= value <= most else 0


def _moment_ms(text: object) -> int | None:
    try:
        moment = datetime.fromisoformat(str(text))
        return int(moment.timestamp() * 1000) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


class Seen:
    """Which segments a session was served, as spans of numbers: who watches on makes one span longer and longer."""

    def __init__(self, at_ms: int = 0, spans: list[list[Any]] | None = None) -> None:
        self.at_ms = at_ms
        # [what stands before the number, first number, last number], the one that was changed last at the end.
        self.spans: list[list[Any]] = spans or []

    def add(self, segment: str) -> bool:
        """Whether it is new. Of a session that jumps about, only the newest `SPANS_MAX` spans are remembered."""
        found = NUMBER.fullmatch(segment)
        before, number = (found[1] or "", int(found[2])) if found else (segment + "/", 0)
        first = last = number
        for span in [each for each in self.spans if each[0] == before]:
            if span[1] <= number <= span[2]:
                return False
            if number in (span[1] - 1, span[2] + 1):
                first, last = min(first, span[1]), max(last, span[2])
                self.spans.remove(span)
        self.spans.append([before, first, last])
        del self.spans[:-SPANS_MAX]
        return True


class Fold:
    """Lines become figures by session and day. What sessions were served stays known while they go on."""

    def __init__(self, seen: Mapping[str, tuple[int, list[list[Any]]]] | None = None) -> None:
        self.figures: dict[str, Served] = {}
        self._seen = OrderedDict((key, Seen(at_ms, spans)) for key, (at_ms, spans) in (seen or {}).items())

    def add(self, fetch: Fetch) -> None:
        """One answer more."""
        seen = self._seen.setdefault(fetch.session_id, Seen())
        self._seen.move_to_end(fetch.session_id)
        seen.at_ms = max(seen.at_ms, fetch.at_ms)
        new = fetch.segment is not None and seen.add(fetch.segment)
        part = Served(
            media_ms=fetch.media_ms if new else 0,
            media_bytes=fetch.size,
            segments=int(new),
            requests=1,
            first_at_ms=fetch.at_ms,
            last_at_ms=fetch.at_ms,
        )
        for key in (fetch.session_id, day_key(day_of(fetch.at_ms))):
            self.figures[key] = self.figures.get(key, Served()).plus(part)

    def take(self) -> dict[str, Served]:
        """The figures since the last time; sessions that are over, and the oldest of too many, are forgotten."""
        figures, self.figures = self.figures, {}
        newest_ms = max((each.at_ms for each in self._seen.values()), default=0)
        while self._seen:
            key, oldest = next(iter(self._seen.items()))
            if len(self._seen) <= SESSIONS_MAX and oldest.at_ms >= newest_ms - IDLE_MS:
                break
            del self._seen[key]
        return figures

    def seen(self) -> dict[str, tuple[int, list[list[Any]]]]:
        """What a new `Fold` goes on with."""
        return {key: (each.at_ms, each.spans) for key, each in self._seen.items()}
