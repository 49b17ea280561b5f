"""Time series: their names, the stored columns that they are computed from, and which values are known.

Samples are taken once a minute. An unknown value is None, never 0: a minute without a sample, counters of a gateway
whose log is not read yet, what a worker does not report.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from chalicelib.domain.money.measuring import FOLLOWER_GONE_MS
from chalicelib.domain.money.points import MILLIPOINTS_PER_POINT
from chalicelib.domain.money.usage import Follower
from chalicelib.domain.operations.traffic import MINUTE_MS, Cache, Traffic

Value = int | float | None
# The values of one minute or hour, by column. A missing column is unknown.
Slot = Mapping[str, Value]


class SeriesName(StrEnum):
    """What can be requested."""

    ACTIVE_SESSIONS = "active_sessions"
    POINTS_PER_MINUTE = "points_per_minute"
    EGRESS_BYTES = "egress_bytes"
    INGEST_BITRATE_BPS = "ingest_bitrate_bps"
    SEGMENTS_PER_MINUTE = "segments_per_minute"
    MANIFEST_AGE_MS = "manifest_age_ms"
    ANSWERS_2XX = "answers_2xx"
    ANSWERS_4XX = "answers_4xx"
    ANSWERS_5XX = "answers_5xx"
    PLAYLIST_HIT_RATIO = "playlist_hit_ratio"
    SEGMENT_HIT_RATIO = "segment_hit_ratio"
    DECISION_HIT_RATIO = "decision_hit_ratio"
    LOGIN_FAILURES = "login_failures"
    PLAYBACK_ERRORS = "playback_errors"
    CUT_OFF_P99_MS = "cut_off_p99_ms"


# Logins have no stream, and failed starts and cut-offs are not counted by stream.
OF_STREAMS = tuple(
    name
    for name in SeriesName
    if name not in (SeriesName.LOGIN_FAILURES, SeriesName.PLAYBACK_ERRORS, SeriesName.CUT_OFF_P99_MS)
)
RATIOS = {
    SeriesName.PLAYLIST_HIT_RATIO: ("playlist_hits", "playlist_misses"),
    SeriesName.SEGMENT_HIT_RATIO: ("segment_hits", "segment_misses"),
    SeriesName.DECISION_HIT_RATIO: ("verdict_hits", "verdict_misses"),
}

# The columns of a slot. They are stored by position, so new ones are only appended.
# Measured at the time of the sample. `sampled_minutes` is set in hours only.
GAUGES = (
    "active_sessions",
    "ingest_bitrate_bps",
    "segments_per_minute",
    "manifest_age_ms",
    "cut_off_p99_ms",
    "sampled_minutes",
)
# Counted over the minute. They are corrected while late counts arrive.
COUNTS = (
    "spent_millipoints",
    "egress_bytes",
    "answers_2xx",
    "answers_4xx",
    "answers_5xx",
    "playlist_hits",
    "playlist_misses",
    "segment_hits",
    "segment_misses",
    "verdict_hits",
    "verdict_misses",
    "login_failures",
    "playback_errors",
)
# The columns that come from the gateways' logs.
OF_GATEWAYS = COUNTS[1:11]


class Step(IntEnum):
    """The seconds between two values."""

    MINUTE = 60
    HOUR = 3_600

    @property
    def ms(self) -> int:
        """The same in ms."""
        return self.value * 1_000


# How long values are kept, at least.
MINUTES_KEPT_MS = 24 * Step.HOUR.ms
HOURS_KEPT_MS = 400 * 24 * Step.HOUR.ms

# The schedule is not exact. Samples this far apart belong to consecutive minutes.
APART_MS_MIN, APART_MS_MAX = 30_000, 90_000
# A follower reports every 10 s what was logged until 5 s before.
FOLLOWED_MS = 30_000
# Counts are corrected for so many minutes, and then an hour is summed up.
CORRECTED_MINUTES = 5
# Hours whose minutes may still be kept.
ROLLED_HOURS_MAX = 24


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The columns of one slot. None leaves what is stored of this kind."""

    gauges: Slot | None = None
    counts: Slot | None = None


@dataclass(frozen=True, kw_only=True)
class SamplerState:
    """What the next sample continues from.

    `minute` is the epoch minute of the last sample, and `open_minutes` are those whose counts are still corrected.
    `counted` holds the gateways' counters of each stream by hour, as they were at the last sample; `is_followed` says
    whether no follower was late then. Hours up to `rolled_hour` are summed up.
    """

    at_ms: int
    minute: int
    open_minutes: tuple[int, ...] = ()
    is_followed: bool = False
    counted: Mapping[str, Mapping[int, tuple[int, ...]]] = field(default_factory=dict)
    rolled_hour: int = 0


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The platform at the last sample. None is unknown.

    `figures` are the newest known values of all series. `streams_live` should be live, `streams_delivered` reach
    viewers. Workers that are present run `streams_running` of `capacity` streams. `canary_at_ms` and `canary_is_ok` are
    the canary's last run; None if it never ran.
    """

    at_ms: int
    figures: Mapping[SeriesName, Value]
    streams_live: int
    streams_delivered: int
    workers: int
    capacity: int
    streams_running: int
    work_queue_depth: int | None
    dead_letters: int | None
    canary_at_ms: int | None
    canary_is_ok: bool | None


def minute_of_sample(now_ms: int, last: SamplerState | None) -> int | None:
    """Return the epoch minute that a sample is for: the last full one. None if it is too soon for another sample.

    A sample that comes about a minute after the last one is for the next minute, also if a few seconds of delay moved
    it across the end of a minute. Otherwise such delays would be gaps.
    """
    full = now_ms // MINUTE_MS - 1
    if last is None or now_ms < last.at_ms:
        return full
    apart_ms = now_ms - last.at_ms
    if apart_ms < APART_MS_MIN:
        return None
    if apart_ms <= APART_MS_MAX and abs(last.minute + 1 - full) <= 1:
        return last.minute + 1
    return full if full > last.minute else None


def is_counted(from_ms: int, until_ms: int, followers: Mapping[str, Follower]) -> bool:
    """Return whether all that the gateways logged in this time is counted. Without any follower, nothing is.

    A follower that is silent for an hour is not waited for: its gateway may no longer exist.
    """
    lost = [each for follower in followers.values() for each in follower.lost]
    if any(first_ms < until_ms and last_ms >= from_ms for first_ms, last_ms in lost):
        return False
    waited = [each for each in followers.values() if each.heard_ms > from_ms - FOLLOWER_GONE_MS]
    return bool(waited) and all(each.through_ms >= until_ms for each in waited)


def gateway_counts(traffic: Traffic) -> tuple[int, ...]:
    """Return the columns `OF_GATEWAYS`, over media and all other answers."""
    both = (traffic.media, traffic.api)
    caches = (traffic.playlists, traffic.segments, traffic.verdicts)
    return (
        sum(each.egress_bytes for each in both),
        sum(each.answers_2xx for each in both),
        sum(each.answers_4xx for each in both),
        sum(each.answers_5xx for each in both),
        *(count for cache in caches for count in (cache.hits, cache.misses)),
    )


def counted_since(before: Mapping[int, tuple[int, ...]], now: Mapping[int, tuple[int, ...]]) -> tuple[int, ...]:
    """Return how much a stream's counters by hour have grown. An hour that was not there began at 0."""
    zeros = (0,) * len(OF_GATEWAYS)
    grown = [
        [last - first for first, last in zip(before.get(hour, zeros), counts, strict=True)]
        for hour, counts in now.items()
    ]
    return tuple(sum(column) for column in zip(zeros, *grown, strict=True))


def value_of(name: SeriesName, slot: Slot) -> Value:
    """Return a series' value. Ratios are from 0 to 1, and None without lookups."""
    if name in RATIOS:
        hits, misses = (slot.get(column) for column in RATIOS[name])
        return None if hits is None or misses is None else Cache(hits=int(hits), misses=int(misses)).hit_ratio
    if name is SeriesName.POINTS_PER_MINUTE:
        spent = slot.get("spent_millipoints")
        return None if spent is None else spent / MILLIPOINTS_PER_POINT
    return slot.get(name)


def hour_of_minutes(minutes: Sequence[Slot], cut_off_p99_ms: int | None) -> Sample:
    """Return an hour from its sampled minutes: sums of counts, means of levels and rates, the greatest manifest age.

    A sum is over the known minutes, so it is too small if any are unknown; `sampled_minutes` says how many there were.
    """

    def over(column: str) -> Value:
        known = [value for slot in minutes if (value := slot.get(column)) is not None]
        return COMBINED.get(column, sum)(known) if known else None

    own = {"cut_off_p99_ms": cut_off_p99_ms, "sampled_minutes": len(minutes)}
    return Sample(
        gauges={column: over(column) for column in GAUGES} | own, counts={column: over(column) for column in COUNTS}
    )


def _mean(values: Sequence[int | float]) -> float:
    return round(sum(values) / len(values), 3)


COMBINED: Mapping[str, Callable[[Sequence[int | float]], int | float]] = {
    "active_sessions": _mean,
    "ingest_bitrate_bps": lambda values: round(_mean(values)),
    "segments_per_minute": _mean,
    "manifest_age_ms": max,
    "spent_millipoints": lambda values: round(_mean(values)),
}
