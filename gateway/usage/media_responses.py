"""The media that a log entry served, and the counters that it adds to."""

import re
from collections import Counter
from dataclasses import dataclass

from chalicelib.domain.operations.traffic import Kept, Part, counts_of
from gateway.usage.log_entries import LogEntry

WHOLE_STATUS = 200
SERVED_STATUS = (WHOLE_STATUS, 206)
SEGMENT = re.compile(r"([a-z0-9]+)/([a-z0-9-]+)\.ts")
PLAYLIST = re.compile(r"(?:[a-z0-9]+/)?index\.m3u8")
# nginx's cache statuses, and whether each is a hit.
CACHE_HITS = {"HIT": True, "MISS": False, "EXPIRED": False}


@dataclass(frozen=True, kw_only=True)
class MediaResponse:
    """Media served to a session. `segment` is the name without the rendition, None if no media time was served.

    `media_ms` is the duration of the whole segment. `is_whole` says whether all of it was sent; if not, `body_size`
    bytes of `segment_size` were, from `first_byte` on. `rendition` is that of any segment, None for a playlist.
    """

    session_id: str
    segment: str | None
    media_ms: int
    size: int
    at_ms: int
    is_open: bool = False
    is_whole: bool = False
    segment_size: int = 0
    first_byte: int = 0
    body_size: int = 0
    rendition: str | None = None


def media_response_of(entry: LogEntry) -> MediaResponse | None:
    """Return the media that an entry served to a session, or None."""
    segment = SEGMENT.fullmatch(entry.media)
    if entry.status not in SERVED_STATUS or not entry.session_id or not (segment or PLAYLIST.fullmatch(entry.media)):
        return None
    # Of a segment that takes long, the client may get all but a last byte, and end its session meanwhile.
    is_whole = entry.is_open or (entry.complete and entry.status == WHOLE_STATUS)
    is_part = entry.segment_size > 0 and entry.body_size > 0
    serves_time = segment and entry.method == "GET" and entry.media_ms > 0 and (is_whole or is_part)
    return MediaResponse(
        session_id=entry.session_id,
        segment=segment[2] if segment and serves_time else None,
        rendition=segment[1] if segment else None,
        media_ms=entry.media_ms if serves_time else 0,
        size=entry.size,
        at_ms=entry.at_ms,
        is_open=entry.is_open,
        is_whole=is_whole,
        segment_size=entry.segment_size,
        first_byte=entry.first_byte,
        body_size=entry.body_size,
    )


def counters_of(entry: LogEntry) -> Counter[str]:
    """Return the counters of one response."""
    is_media = entry.session_id or entry.path.startswith("/play/")
    hits: dict[Kept, bool] = {}
    # The cache status of a refusal is that of the refusal, not of media.
    if is_media and entry.status in SERVED_STATUS and entry.cache in CACHE_HITS:
        hits[Kept.SEGMENT if SEGMENT.fullmatch(entry.media) else Kept.PLAYLIST] = CACHE_HITS[entry.cache]
    if entry.verdict in CACHE_HITS:
        hits[Kept.VERDICT] = CACHE_HITS[entry.verdict]
    return counts_of(Part.MEDIA if is_media else Part.API, entry.status, entry.size, hits)
