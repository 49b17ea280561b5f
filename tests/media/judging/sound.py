"""Pure functions that read levels of sound, one for each packet."""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

SILENT_DB = -55.0
# A beep is louder than the tone by this much at least.
BEEP_DB = 10.0
HALF_TURNS = 2


@dataclass(frozen=True)
class Level:
    """The sound of one decoded packet: when it begins, how loud it is, and how often it crosses zero a second."""

    at_s: float
    loud_db: float
    crossings_per_s: float


def silence_s(levels: Sequence[Level]) -> float:
    """Return the longest time without sound, in seconds; what is missing between two packets counts."""
    longest, since = 0.0, None
    for level, after in pairwise(levels):
        if level.loud_db < SILENT_DB:
            since = level.at_s if since is None else since
            longest = max(longest, after.at_s - since)
        else:
            since = None
    return longest


def tone_hz(levels: Sequence[Level]) -> float:
    """Return the pitch of the tone, 0 where there is none."""
    heard = [level.crossings_per_s for level in levels if level.loud_db >= SILENT_DB]
    return median(heard) / HALF_TURNS if heard else 0.0


def beeps(levels: Sequence[Level]) -> list[float]:
    """Return when beeps begin, in seconds."""
    heard = [level.loud_db for level in levels if level.loud_db >= SILENT_DB]
    if not heard:
        return []
    loud = median(heard) + BEEP_DB
    return [after.at_s for level, after in pairwise(levels) if level.loud_db < loud <= after.loud_db]


def silent_share(levels: Sequence[Level], first_s: float, last_s: float) -> float | None:
    """Return which share of the packets between two moments is silent; None where there are none."""
    times = [level.at_s for level in levels]
    within = levels[bisect(times, first_s) : bisect(times, last_s)]
    return sum(level.loud_db < SILENT_DB for level in within) / len(within) if within else None


def skew_s(flashes: Sequence[float], beeps: Sequence[float], reach_s: float = 1.0) -> float | None:
    """Return how much later a beep is than its flash, where that is most; None where none belong together."""
    found = [min((beep - flash for beep in beeps), key=abs) for flash in flashes] if beeps else []
    return max((skew for skew in found if abs(skew) <= reach_s), key=abs, default=None)
