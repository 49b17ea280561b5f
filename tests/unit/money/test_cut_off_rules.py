"""The histogram of how long sessions are served beyond their end."""

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.cut_offs import BOUNDS_MS, HOUR_MS, by_bound, cut_off_stats, histograms

HOUR = 1_800_000_000_000 - 1_800_000_000_000 % HOUR_MS
KICKED, PAUSED = EndReason.KICKED, EndReason.STREAM_PAUSED


def test_each_hour_and_reason_has_its_own():
    last, next_hour = HOUR + HOUR_MS - 1, HOUR + HOUR_MS
    parts = histograms([(HOUR, KICKED, 0), (last, KICKED, 9), (HOUR, PAUSED, 0), (next_hour, KICKED, 3)])
    found = [(each.hour_ms, each.end_reason, sum(each.counts), each.max_ms) for each in parts]
    assert found == [(HOUR, KICKED, 2, 9), (HOUR, PAUSED, 1, 0), (next_hour, KICKED, 1, 3)]
    together = [(each.end_reason, each.sessions, each.max_ms) for each in cut_off_stats(parts)]
    assert together == [(KICKED, 3, 9), (PAUSED, 1, 0)] and histograms([]) == () and cut_off_stats([]) == []


def test_a_bound_is_still_within_it():
    cut_offs = [each + more for each in BOUNDS_MS for more in (0, 1)]
    [part] = histograms((HOUR, KICKED, each) for each in cut_offs)
    assert by_bound(part) == {"0": 1, **{str(each): 2 for each in BOUNDS_MS[1:]}, "more": 1}


@pytest.mark.parametrize(
    ("cut_offs_ms", "p50_ms", "p99_ms"),
    [
        *(([0], 0, 0), ([7], 7, 7), ([3, 7, 90], 10, 90), ([90_000, 120_000], 120_000, 120_000)),
        *(([0] * 99 + [4_321], 0, 0), ([0] * 98 + [4_321] * 2, 0, 4_321), ([40] * 50 + [300] * 50, 50, 300)),
    ],
)
def test_percentiles_are_bounds_and_never_more_than_the_longest(cut_offs_ms, p50_ms, p99_ms):
    [found] = cut_off_stats(histograms((HOUR, KICKED, each) for each in cut_offs_ms))
    assert (found.sessions, found.p50_ms, found.p99_ms) == (len(cut_offs_ms), p50_ms, p99_ms)
    ranked = sorted(cut_offs_ms)
    assert found.p50_ms >= ranked[(len(ranked) - 1) // 2] and found.p99_ms <= found.max_ms == ranked[-1]
