"""What the gateway really served: the media time, bytes and requests of a session or of a day."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

MS_PER_S = 1_000
DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, kw_only=True)
class Served:
    """What was served. `media_ms` is the time that the segments play, each counted once a session however often and in
    whatever rendition it was fetched; bytes and requests are all that went out, playlists and repetitions too.

    The moments are those of the first and the last request, in ms.
    """

    media_ms: int = 0
    media_bytes: int = 0
    segments: int = 0
    requests: int = 0
    first_at_ms: int = 0
    last_at_ms: int = 0

    def plus(self, other: "Served") -> "Served":
        """Both together."""
        first = [each.first_at_ms for each in (self, other) if each.requests]
        return Served(
            media_ms=self.media_ms + other.media_ms,
            media_bytes=self.media_bytes + other.media_bytes,
            segments=self.segments + other.segments,
            requests=self.requests + other.requests,
            first_at_ms=min(first, default=0),
            last_at_ms=max(self.last_at_ms, other.last_at_ms),
        )


def day_of(at_ms: int) -> str:
    """The UTC day of a moment, `YYYY-MM-DD`."""
    return datetime.fromtimestamp(at_ms / MS_PER_S, UTC).strftime("%Y-%m-%d")


def is_day(text: str) -> bool:
    """Whether a text names a day of this century that exists, `YYYY-MM-DD`."""
    if not DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def day_key(day: str) -> str:
    """Under what name a whole day's figures are kept beside those of the sessions; no session has such an id."""
    return f"day:{day}"
