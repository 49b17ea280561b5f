"""Counters of the gateways' answers: by minute for a whole gateway, by hour for each stream."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MINUTE_MS = 60_000
HOUR_MINUTES = 60
# In place of an epoch minute: counters without end, as Prometheus reads them.
TOTALS_MINUTE = 0
# Rejected media: invalid token, no points, ended by an operator, stream over, too fast.
REFUSALS = (401, 402, 403, 410, 429)
# The names of the counters of answers, behind the part's.
STATUS_CLASSES, CLOSED_NAME = ("2xx", "3xx", "4xx", "5xx"), "closed"
# The client disconnected before the response; nginx logs 499.
CLOSED = (0, 499)


class Part(StrEnum):
    """Media, or everything else, which is the API."""

    MEDIA = "media"
    API = "api"


class Kept(StrEnum):
    """What the gateway caches."""

    PLAYLIST = "playlist"
    SEGMENT = "segment"
    VERDICT = "verdict"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Answers by status class, and bytes sent, headers included. `closed` counts clients that disconnected first."""

    answers_2xx: int
    answers_3xx: int
    answers_4xx: int
    answers_5xx: int
    closed: int
    egress_bytes: int


@dataclass(frozen=True, kw_only=True)
class Cache:
    """Cache lookups."""

    hits: int
    misses: int

    @property
    def hit_ratio(self) -> float | None:
        """From 0 to 1; None without lookups."""
        total = self.hits + self.misses
        return round(self.hits / total, 4) if total else None


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Statistics from the counters. `refusals` counts media errors by status, which are part of the 4xx."""

    media: Answers
    api: Answers
    refusals: Mapping[str, int]
    playlists: Cache
    segments: Cache
    verdicts: Cache


@dataclass(frozen=True, kw_only=True)
class StreamTraffic:
    """A stream's statistics in the hour from `hour_ms`."""

    stream_id: str
    hour_ms: int
    traffic: Traffic


def counts_of(part: Part, status: int, size: int, found: Mapping[Kept, bool]) -> Counter[str]:
    """Return the counters of one answer. `found` maps each cache that was used to whether it had a copy."""
    counts = Counter({f"{part}_bytes": size})
    if status in CLOSED:
        counts[f"{part}_{CLOSED_NAME}"] += 1
    elif 200 <= status < 600:
        counts[f"{part}_{status // 100}xx"] += 1
    if part is Part.MEDIA and status in REFUSALS:
        counts[f"refused_{status}"] += 1
    for kept, there in found.items():
        counts[f"{kept}_{'hits' if there else 'misses'}"] += 1
    return counts


def traffic_of(counts: Mapping[str, int]) -> Traffic:
    """Return the statistics of these counters."""
    return Traffic(
        media=_answers(Part.MEDIA, counts),
        api=_answers(Part.API, counts),
        refusals={str(status): counts.get(f"refused_{status}", 0) for status in REFUSALS},
        playlists=_cache(Kept.PLAYLIST, counts),
        segments=_cache(Kept.SEGMENT, counts),
        verdicts=_cache(Kept.VERDICT, counts),
    )


def hour_of(minute: int) -> int:
    """Return the first minute of the hour of an epoch minute."""
    return minute - minute % HOUR_MINUTES


def _answers(part: Part, counts: Mapping[str, int]) -> Answers:
    return Answers(
        answers_2xx=counts.get(f"{part}_2xx", 0),
        answers_3xx=counts.get(f"{part}_3xx", 0),
        answers_4xx=counts.get(f"{part}_4xx", 0),
        answers_5xx=counts.get(f"{part}_5xx", 0),
        closed=counts.get(f"{part}_closed", 0),
        egress_bytes=counts.get(f"{part}_bytes", 0),
    )


def _cache(kept: Kept, counts: Mapping[str, int]) -> Cache:
    return Cache(hits=counts.get(f"{kept}_hits", 0), misses=counts.get(f"{kept}_misses", 0))
