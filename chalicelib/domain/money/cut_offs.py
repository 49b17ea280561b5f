"""How long a session was served beyond its end: the time from its end to the last byte of media, in a histogram."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.domain.end_reasons import EndReason

HOUR_MS = 3_600_000
# Each count is of what took at most so long; one count more is of what took longer. A log is waited for only so long.
BOUNDS_MS = (0, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000)
# Ends that were not the viewer's doing, and came before the time was over. Of a lease that expired, the end is when
# somebody noticed, and media was refused long before.
EARLY = frozenset(EndReason) - {EndReason.VIEWER_STOPPED, EndReason.LEASE_EXPIRED}


@dataclass(frozen=True, kw_only=True)
class CutOffs:
    """The sessions that ended for one reason in the hour that begins at `hour_ms`: a count for each of `BOUNDS_MS`, and
    one for what took longer.
    """

    hour_ms: int
    end_reason: EndReason
    counts: tuple[int, ...]
    max_ms: int


@dataclass(frozen=True, kw_only=True)
class CutOffStats:
    """How many sessions, and the times that half of them and 99 of 100 did not exceed, as the histogram knows them."""

    end_reason: EndReason
    sessions: int
    p50_ms: int
    p99_ms: int
    max_ms: int


def cut_off_ms(ended_at_ms: int, end_reason: EndReason, last_served_at_ms: int) -> int | None:
    """How long after its end a session was served its last byte, 0 if before; None if it was not ended early."""
    return max(0, last_served_at_ms - ended_at_ms) if end_reason in EARLY else None


def histograms(ends: Iterable[tuple[int, EndReason, int]]) -> tuple[CutOffs, ...]:
    """Of sessions, each with the moment and the reason of its end and its cut-off: one for each hour and reason."""
    grouped: dict[tuple[int, EndReason], list[int]] = defaultdict(list)
    for ended_at_ms, reason, cut_off in ends:
        grouped[ended_at_ms - ended_at_ms % HOUR_MS, reason].append(cut_off)
    return tuple(
        CutOffs(hour_ms=hour_ms, end_reason=reason, counts=_counted(found), max_ms=max(found))
        for (hour_ms, reason), found in sorted(grouped.items())
    )


def cut_off_stats(parts: Iterable[CutOffs]) -> list[CutOffStats]:
    """Those of all hours together, by reason."""
    together: dict[EndReason, list[CutOffs]] = defaultdict(list)
    for each in parts:
        together[each.end_reason].append(each)
    return [_stats(reason, found) for reason, found in sorted(together.items())]


def by_bound(part: CutOffs) -> Mapping[str, int]:
    """The histogram for people: bound in ms, or `more`, to the number of sessions."""
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


def _counted(found: list[int]) -> tuple[int, ...]:
    counts = [0] * (len(BOUNDS_MS) + 1)
    for each in found:
        counts[sum(each > bound for bound in BOUNDS_MS)] += 1
    return tuple(counts)


def _percentile(counts: list[int], max_ms: int, percent: int) -> int:
    """The upper bound of where the nearest rank lies, and never more than the longest."""
    rank, passed = -(-sum(counts) * percent // 100), 0
    for bound_ms, count in zip(BOUNDS_MS, counts, strict=False):
        passed += count
        if passed >= rank:
            return min(bound_ms, max_ms)
    return max_ms
