"""What an active session fetched lately, by the followers of the gateways' logs, and whether it is being watched."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.domain.money.usage import Follower

BUCKET_MS = 10_000
WINDOW_MS = 60_000
# A minute, and the bucket that is not full yet.
BUCKETS_MAX = WINDOW_MS // BUCKET_MS + 1
# Longer than the longest segment lasts. A session that fetched none for so long is not watched.
FETCHING_MS = 15_000
# A follower reports every 10 s.
SILENT_MS = 60_000
# The bitrate of a session is known from here on.
BITRATE_MS = 20_000
MS_PER_S, BITS_PER_BYTE = 1_000, 8


@dataclass(frozen=True, kw_only=True)
class Fetches:
    """What one follower has counted of a session: the last segment with its rendition, and bytes by 10 s.

    `buckets` maps the number of 10 s since 1970 to all bytes sent then, playlists included. It has at most
    `BUCKETS_MAX` keys, the last ones.
    """

    segment_at_ms: int = 0
    rendition: str = ""
    buckets: Mapping[int, int] = field(default_factory=dict)

    def plus(self, at_ms: int, size: int, rendition: str | None) -> "Fetches":
        """Return it with a response of `size` bytes at a time. `rendition` is None if it was no segment."""
        bucket = at_ms // BUCKET_MS
        buckets = {**self.buckets, bucket: self.buckets.get(bucket, 0) + size}
        oldest = max(buckets) - BUCKETS_MAX + 1
        is_newer = rendition is not None and at_ms >= self.segment_at_ms
        return Fetches(
            segment_at_ms=at_ms if is_newer else self.segment_at_ms,
            rendition=rendition or "" if is_newer else self.rendition,
            buckets={each: count for each, count in buckets.items() if each >= oldest},
        )

    def bytes_since(self, from_ms: int) -> float:
        """Return the bytes sent since a time. The bucket that contains it counts in proportion."""
        parts = (
            count * max(0, (bucket + 1) * BUCKET_MS - max(from_ms, bucket * BUCKET_MS)) / BUCKET_MS
            for bucket, count in self.buckets.items()
        )
        return sum(parts)

    def to_text(self) -> str:
        """Return the stored form, some 80 characters: time, rendition, first bucket, bytes of each bucket."""
        first = min(self.buckets, default=0)
        counts = [self.buckets.get(each, 0) for each in range(first, max(self.buckets, default=first - 1) + 1)]
        return ",".join(str(each) for each in (self.segment_at_ms, self.rendition, first, *counts))

    @classmethod
    def from_text(cls, text: str) -> "Fetches":
        """Return the fetches of a stored form."""
        at_ms, rendition, first, *counts = text.split(",")
        buckets = {int(first) + number: int(count) for number, count in enumerate(counts)}
        return cls(segment_at_ms=int(at_ms), rendition=rendition, buckets=buckets)


@dataclass(frozen=True, kw_only=True)
class RecentFetches:
    """What a session fetched in the last minute that the followers know. Each is None if it is unknown.

    `is_fetching` is False once no segment came for `FETCHING_MS`.
    """

    rendition: str | None = None
    bytes_last_minute: int | None = None
    bitrate_bps: int | None = None
    last_fetch_at_ms: int | None = None
    is_fetching: bool | None = None


def known_until_ms(followers: Mapping[str, Follower], now_ms: int) -> int | None:
    """Return until when all logs are read; None if no follower runs, or if one is far behind."""
    running = [each for each in followers.values() if each.heard_ms > now_ms - SILENT_MS]
    until_ms = min((each.through_ms for each in running), default=0)
    return min(until_ms, now_ms) if until_ms > now_ms - SILENT_MS else None


def watching_sessions(followers: Mapping[str, Follower], now_ms: int) -> int | None:
    """Return how many sessions fetch segments; None as long as a follower's count is unknown. Two gateways that serve
    one session count it twice.
    """
    running = [each for each in followers.values() if each.heard_ms > now_ms - SILENT_MS]
    counts = [each.watching for each in running if each.watching is not None]
    return sum(counts) if running and len(counts) == len(running) else None


def recent_fetches(
    fetches: Mapping[str, Fetches], followers: Mapping[str, Follower], started_at_ms: int, now_ms: int
) -> RecentFetches:
    """Return what a session fetched, from the counts of each follower and the followers' reports."""
    newest = max(fetches, key=lambda name: fetches[name].segment_at_ms, default=None)
    last = fetches[newest] if newest is not None else Fetches()
    known = RecentFetches(rendition=last.rendition or None, last_fetch_at_ms=last.segment_at_ms or None)
    until_ms = known_until_ms(followers, now_ms)
    # A follower that left has added all of its log. One that is silent may not have.
    source = followers.get(newest) if newest is not None else None
    is_lost = source is not None and source.heard_ms <= now_ms - SILENT_MS
    if until_ms is None or is_lost:
        return known
    end_ms = max(until_ms, last.segment_at_ms)
    size = round(sum(each.bytes_since(end_ms - WINDOW_MS) for each in fetches.values()))
    window_ms = min(WINDOW_MS, max(MS_PER_S, end_ms - started_at_ms))
    return RecentFetches(
        rendition=known.rendition,
        bytes_last_minute=size,
        # A player fetches the first seconds at once, so a shorter time would not be its bitrate.
        bitrate_bps=size * BITS_PER_BYTE * MS_PER_S // window_ms if window_ms >= BITRATE_MS else None,
        last_fetch_at_ms=known.last_fetch_at_ms,
        is_fetching=_is_fetching(last.segment_at_ms, until_ms, started_at_ms),
    )


def _is_fetching(segment_at_ms: int, until_ms: int, started_at_ms: int) -> bool | None:
    if segment_at_ms and segment_at_ms >= until_ms - FETCHING_MS:
        return True
    # Its first segment may be in a part of the log that is not read yet.
    return None if started_at_ms > until_ms - FETCHING_MS else False
