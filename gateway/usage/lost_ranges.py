"""The ranges of time whose log lines a follower lost."""

from collections.abc import Sequence
from itertools import pairwise

from chalicelib.domain.money.measuring import GIVE_UP_MS

Range = tuple[int, int]

# Beyond it, the two ranges closest to each other become one.
RANGES_MAX = 16
# Sessions that ended a day ago are settled or given up. A session may have started days before.
KEEP_MS = 7 * GIVE_UP_MS
# Where the last line before a loss is unknown: sessions that ended before then are settled or given up.
UNKNOWN_MS = GIVE_UP_MS


def with_range(ranges: Sequence[Range], lost: Range) -> list[Range]:
    """Return the ranges and another one, in order, without those that ended long before it, at most `RANGES_MAX`."""
    kept = sorted([*(each for each in ranges if each[1] >= lost[1] - KEEP_MS), lost])
    united = kept[:1]
    for first_ms, last_ms in kept[1:]:
        if first_ms <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], last_ms)
        else:
            united.append((first_ms, last_ms))
    while len(united) > RANGES_MAX:
        gaps = [after[0] - before[1] for before, after in pairwise(united)]
        closest = gaps.index(min(gaps))
        united[closest : closest + 2] = [(united[closest][0], united[closest + 1][1])]
    return united
