"""Where players begin in a playlist, and how long segments may be."""

import math
from enum import StrEnum

# The segment that a player begins with, counted from the end of the playlist. Three is the players' default and the
# standard's rule; two was measured to play without stalls.
LIVE_START_INDEX, LIVE_START_INDEX_LOW = -3, -2
# The least distance from the end for `normal`: a failed encoder or worker is replaced within that time. More would be
# fetched at a start before it is paid (`ALLOWANCE_MS`), and gateways hold that back.
NORMAL_BEHIND_S = 8
SEGMENT_SECONDS_MIN, SEGMENT_SECONDS_MAX = 1, 10


class Latency(StrEnum):
    """How far behind the live edge players begin. `low` needs segments of one second and stalls more easily."""

    NORMAL = "normal"
    LOW = "low"


def live_start_index(latency: Latency, segment_seconds: int) -> int:
    """Return the segment that a player begins with, counted from the end of the playlist."""
    if latency is Latency.LOW:
        return LIVE_START_INDEX_LOW
    return min(LIVE_START_INDEX_LOW, -math.ceil(NORMAL_BEHIND_S / segment_seconds))
