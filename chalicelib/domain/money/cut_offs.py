"""Histograms of cut-off times: how long after its end a session was still served."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.domain.end_reasons import EndReason

HOUR_MS = 3_600_000
# Upper bounds of the histogram's buckets; one more bucket holds longer times. Logs that come later are ignored.
BOUNDS_MS = (0, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000)
# The names of the counters of cut-off times, before the end reason.
COUNTED, SUMMED = "cut_off", "cut_off_ms"
# Ends before the paid time was over, not by the viewer. An expired lease is excluded: media was rejected long
# before its end was recorded.
EARLY = frozenset(EndReason) - {EndReason.VIEWER_STOPPED, EndReason.LEASE_EXPIRED}


@dataclass(frozen=True, kw_only=True)
class CutOffs:
    """The sessions that ended for one reason in the hour from `hour_ms`, counted by `BOUNDS_MS`, with one more for
    longer.
    """

    hour_ms: int
    end_reason: EndReason
    counts: tuple[int, ...]
    max_ms: int


@dataclass(frozen=True, kw_only=True)
class CutOffStats:
    """The number of sessions, and upper bounds for the median and the 99th percentile."""

    end_reason: EndReason
    sessions: int
    p50_ms: int
    p99_ms: int
    max_ms: int


def cut_off_ms(ended_at_ms: int, end_reason: EndReason, last_served_at_ms: int) -> int | None:
    """Return how long after its end a session was served, 0 if not at all; None if it did not end early."""
    return max(0, last_served_at_ms - ended_at_ms) if end_reason in EARLY else None


def histograms(ends: Iterable[tuple[int, EndReason, int]]) -> tuple[CutOffs, ...]:
    """Return a histogram for each hour and reason, from tuples of end time, end reason and cut-off."""
    grouped: dict[tuple[int, EndReason], list[int]] = defaultdict(list)
    for ended_at_ms, reason, cut_off in ends:
        grouped[ended_at_ms - ended_at_ms % HOUR_MS, reason].append(cut_off)
    return tuple(
        CutOffs(hour_ms=hour_ms, end_reason=reason, counts=_count(found), max_ms=max(found))
        for (hour_ms, reason), found in sorted(grouped.items())
    )


def cut_off_stats(parts: Iterable[CutOffs]) -> list[CutOffStats]:
    """Return the statistics over all hours, by reason."""
    together: dict[EndReason, list[CutOffs]] = defaultdict(list)
    for each in parts:
        together[each.end_reason].append(each)
    return [_stats(reason, found) for reason, found in sorted(together.items())]


def p99_ms(parts: Iterable[CutOffs]) -> int | None:
    """Return an upper bound for the 99th percentile over all hours and reasons; None without sessions."""
    found = list(parts)
    if not found:
        return None
    counts = [sum(column) for column in zip(*(each.counts for each in found), strict=True)]
    return _percentile(counts, max(each.max_ms for each in found), 99)


def by_bound(part: CutOffs) -> Mapping[str, int]:
    """Return a histogram with its bounds in ms, or `more`, as keys."""
    return dict(zip([*map(str, BOUNDS_MS), "more"], part.counts, strict=True))


def _stats(reason: EndReason, parts: list[CutOffs]) -> CutOffStats:
    counts = [sum(column) for column in zip(*(each.counts for each in parts), strict=True)]
    max_ms = max(each.max_ms for each in parts)
    return CutOffStats(
        end_reason=reason,
        sessions=sum(counts),
        p50_ms=_percentile(counts, max_ms, 50),
        p99_ms=_percentile(counts, max_ms, 99),
        max_ms=max_ms,
    )


def counters_of(end_reason: EndReason, cut_off_ms: int) -> Mapping[str, int]:
    """Return the counters that one cut-off time raises: its bucket, by its place in `BOUNDS_MS`, and the sum in ms."""
    bucket = sum(cut_off_ms > bound for bound in BOUNDS_MS)
    return {f"{COUNTED}.{end_reason}.{bucket}": 1, f"{SUMMED}.{end_reason}": cut_off_ms}


def _count(found: list[int]) -> tuple[int, ...]:
    counts = [0] * (len(BOUNDS_MS) + 1)
    for each in found:
        counts[sum(each > bound for bound in BOUNDS_MS)] += 1
    return tuple(counts)


def _percentile(counts: list[int], max_ms: int, percent: int) -> int:
    """Return the upper bound of the bucket of the nearest rank, at most the maximum."""
    rank, passed = -(-sum(counts) * percent // 100), 0
    for bound_ms, count in zip(BOUNDS_MS, counts, strict=False):
        passed += count
        if passed >= rank:
            return min(bound_ms, max_ms)
    return max_ms
