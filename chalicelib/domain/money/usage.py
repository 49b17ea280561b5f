"""Usage: media time, bytes and requests that the gateways served to a session or on a day."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from chalicelib.domain.money.served_spans import Overlap

MS_PER_S = 1_000
DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, kw_only=True)
class Served:
    """What was served. `media_ms` counts each segment once a session, whatever its rendition and repetitions. Bytes and
    requests count all that was sent, playlists and repetitions too.

    `first_at_ms` and `last_at_ms` are the times of the first and last request.
    """

    media_ms: int = 0
    media_bytes: int = 0
    segments: int = 0
    requests: int = 0
    first_at_ms: int = 0
    last_at_ms: int = 0

    def plus(self, other: "Served") -> "Served":
        """Return the sum of both."""
        first = [each.first_at_ms for each in (self, other) if each.first_at_ms]
        return Served(
            media_ms=self.media_ms + other.media_ms,
            media_bytes=self.media_bytes + other.media_bytes,
            segments=self.segments + other.segments,
            requests=self.requests + other.requests,
            first_at_ms=min(first, default=0),
            last_at_ms=max(self.last_at_ms, other.last_at_ms),
        )

    def without(self, overlap: Overlap) -> "Served":
        """Return the same without what several gateways counted."""
        media_ms, segments = max(0, self.media_ms - overlap.media_ms), max(0, self.segments - overlap.segments)
        return replace(self, media_ms=media_ms, segments=segments)


@dataclass(frozen=True, kw_only=True)
class Follower:
    """What the follower of one gateway's log has reported.

    All that was logged before `through_ms` is added, except the `lost` ranges (first and last ms, both included).
    `reported_at_ms` is the time of its last report, which is later than `through_ms` while it catches up. Of a follower
    that left, only the lost ranges remain, and `through_ms` is 0. `watching` is how many sessions its gateway served a
    segment in the last 15 s before that time; None if unknown.
    """

    through_ms: int
    lost: tuple[tuple[int, int], ...] = ()
    reported_at_ms: int = 0
    watching: int | None = None

    @property
    def heard_ms(self) -> int:
        """The latest time that the follower is known to have run; 0 if it left."""
        return max(self.through_ms, self.reported_at_ms)


def day_of(at_ms: int) -> str:
    """Return the UTC day of a time, `YYYY-MM-DD`."""
    return datetime.fromtimestamp(at_ms / MS_PER_S, UTC).strftime("%Y-%m-%d")


def is_day(text: str) -> bool:
    """Return whether a text is an existing day of this century, `YYYY-MM-DD`."""
    if not DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def day_key(day: str) -> str:
    """Return the key of a whole day's usage beside those of sessions. No session has such an id."""
    return f"day:{day}"
