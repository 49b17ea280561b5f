"""Where players begin in a playlist, and how fast gateways hand out its segments."""

import math
from enum import StrEnum

# Which segment a player begins with, counted from the end of the playlist. Three from the end is what players do by
# themselves, and what the standard asks for; two from it was measured to hold without stalls once playing.
LIVE_START_INDEX, LIVE_START_INDEX_LOW = -3, -2
# How far behind the end players of `normal` begin at least: a dead ffmpeg or worker is replaced within that time.
NORMAL_BEHIND_S = 8
SEGMENT_SECONDS_MIN, SEGMENT_SECONDS_MAX = 1, 10
# From which length on segments are fetched at the usual pace of a gateway, and from which on at its slowest.
PACE_USUAL_S, PACE_LONG_S = 2, 5


class Latency(StrEnum):
    """How far behind the live edge players begin: `low` wants segments of one second, and stalls more easily."""

    NORMAL = "normal"
    LOW = "low"


class Pace(StrEnum):
    """What lengths of segments a gateway tells apart; gateway/nginx.conf.template says how many each may fetch."""

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
