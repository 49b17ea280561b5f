"""Where players begin in a playlist, and how fast gateways hand out its segments."""

import math
from enum import StrEnum

# The segment that a player begins with, counted from the end of the playlist. Three is the players' default and the
# standard's rule; two was measured to play without stalls.
LIVE_START_INDEX, LIVE_START_INDEX_LOW = -3, -2
# The least distance from the end for `normal`: a failed encoder or worker is replaced within that time.
NORMAL_BEHIND_S = 8
SEGMENT_SECONDS_MIN, SEGMENT_SECONDS_MAX = 1, 10
# Segments of at least these lengths are fetched at a gateway's usual pace and at its slowest pace.
PACE_USUAL_S, PACE_LONG_S = 2, 5


class Latency(StrEnum):
    """How far behind the live edge players begin. `low` needs segments of one second and stalls more easily."""

    NORMAL = "normal"
    LOW = "low"


class Pace(StrEnum):
    """Classes of segment length; gateway/nginx/snippets/segment_pace.conf sets how many segments each may fetch."""

    SHORT = "short"
    USUAL = "usual"
    LONG = "long"


def live_start_index(latency: Latency, segment_seconds: int) -> int:
    """Return the segment that a player begins with, counted from the end of the playlist."""
    if latency is Latency.LOW:
        return LIVE_START_INDEX_LOW
    return min(LIVE_START_INDEX, -math.ceil(NORMAL_BEHIND_S / segment_seconds))


def pace(segment_seconds: int, *, copied: bool) -> Pace:
    """Return how fast a gateway hands out segments. Copied segments may be shorter than their setting."""
    if copied or segment_seconds < PACE_USUAL_S:
        return Pace.SHORT
    return Pace.USUAL if segment_seconds < PACE_LONG_S else Pace.LONG
