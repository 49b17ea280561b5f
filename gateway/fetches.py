"""What lines of the gateway's log count for: media served, by session and day, and answers, by minute and stream."""

import re
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.money.usage import Served, day_key, day_of
from chalicelib.domain.operations.traffic import MINUTE_MS, Kept, Part, counts_of, hour_of
from gateway.lines import Line

SERVED_STATUS = (200, 206)
SEGMENT = re.compile(r"[a-z0-9]+/([a-z0-9-]+)\.ts")
PLAYLIST = re.compile(r"(?:[a-z0-9]+/)?index\.m3u8")
NUMBER = re.compile(r"(.*-)?([0-9]{1,18})")
# nginx's words for a copy that was there, and for none that was good.
CACHE_WORDS = {"HIT": True, "MISS": False, "EXPIRED": False}
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


def fetch_of(line: Line) -> Fetch | None:
    """What a line says of media that was served to a session; None if that is nothing."""
    segment = SEGMENT.fullmatch(line.media)
    if line.status not in SERVED_STATUS or not line.session_id or not (segment or PLAYLIST.fullmatch(line.media)):
        return None
    whole = segment and line.complete and line.method == "GET" and line.media_ms > 0
    return Fetch(
        session_id=line.session_id,
        segment=segment[1] if segment and whole else None,
        media_ms=line.media_ms if whole else 0,
        size=line.size,
        at_ms=line.at_ms,
    )


def answer_of(line: Line) -> Counter[str]:
    """The counters of one answer."""
    media = line.session_id or line.path.startswith("/play/")
    found: dict[Kept, bool] = {}
    # Of a refusal, the cache's word is about the refusal.
    if media and line.status in SERVED_STATUS and line.cache in CACHE_WORDS:
        found[Kept.SEGMENT if SEGMENT.fullmatch(line.media) else Kept.PLAYLIST] = CACHE_WORDS[line.cache]
    if line.verdict in CACHE_WORDS:
        found[Kept.VERDICT] = CACHE_WORDS[line.verdict]
    return counts_of(Part.MEDIA if media else Part.API, line.status, line.size, found)


class Seen:
    """Which segments a session was served, as spans of numbers: who watches on makes one span longer and longer."""

    def __init__(self, at_ms: int = 0, spans: list[list[Any]] | None = None, stream_id: str = "") -> None:
        self.at_ms = at_ms
        self.stream_id = stream_id
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
    """Lines become figures by session and day, and counters by minute, and by hour and stream.

    What sessions were served, and of which stream, stays known while they go on. Only verdicts name streams, so what
    strangers ask for makes no counters of its own.
    """

    def __init__(self, seen: Mapping[str, tuple[int, list[list[Any]], str]] | None = None) -> None:
        self.figures: dict[str, Served] = {}
        # By epoch minute and stream: "" for the whole gateway, else the minute is the first of its hour.
        self.counts: dict[tuple[int, str], Counter[str]] = {}
        self._seen = OrderedDict((key, Seen(*each)) for key, each in (seen or {}).items())

    @property
    def rows(self) -> int:
        """How many rows of the store there is something for."""
        return len(self.figures) + len(self.counts)

    def add(self, line: Line) -> None:
        """One answer more."""
        fetch = fetch_of(line)
        if fetch:
            self._serve(fetch, line.stream_id)
        # A refusal does not name its stream; where the session was served before, it is known.
        known = self._seen.get(line.session_id)
        stream_id = line.stream_id or (known.stream_id if known else "")
        answer, minute = answer_of(line), line.at_ms // MINUTE_MS
        self.counts.setdefault((minute, ""), Counter()).update(answer)
        if stream_id:
            self.counts.setdefault((hour_of(minute), stream_id), Counter()).update(answer)

    def _serve(self, fetch: Fetch, stream_id: str) -> None:
        seen = self._seen.setdefault(fetch.session_id, Seen())
        self._seen.move_to_end(fetch.session_id)
        # nginx's processes write their lines a second apart: the last moment is not always the last line's.
        seen.at_ms = max(seen.at_ms, fetch.at_ms)
        seen.stream_id = stream_id or seen.stream_id
        new = fetch.segment is not None and seen.add(fetch.segment)
        part = Served(
            media_ms=fetch.media_ms if new else 0,
            media_bytes=fetch.size,
            segments=int(new),
            requests=1,
            first_at_ms=fetch.at_ms,
            last_at_ms=seen.at_ms,
        )
        for key in (fetch.session_id, day_key(day_of(fetch.at_ms))):
            self.figures[key] = self.figures.get(key, Served()).plus(part)

    def take(self) -> tuple[dict[str, Served], dict[tuple[int, str], Counter[str]]]:
        """Figures and counters since the last time. Sessions that are over, and the oldest of too many, are dropped."""
        taken = self.figures, self.counts
        self.figures, self.counts = {}, {}
        newest_ms = max((each.at_ms for each in self._seen.values()), default=0)
        while self._seen:
            key, oldest = next(iter(self._seen.items()))
            if len(self._seen) <= SESSIONS_MAX and oldest.at_ms >= newest_ms - IDLE_MS:
                break
            del self._seen[key]
        return taken

    def seen(self) -> dict[str, tuple[int, list[list[Any]], str]]:
        """What a new `Fold` goes on with."""
        return {key: (each.at_ms, each.spans, each.stream_id) for key, each in self._seen.items()}
