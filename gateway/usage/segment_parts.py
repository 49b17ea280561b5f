"""The parts of a segment that a session was sent."""

from itertools import pairwise

# One interval is the rule: a transfer that was broken off. At the limit, the smallest gap counts as sent.
INTERVALS_MAX = 32

# The stored form of `SegmentParts`: size, media time, counted time, intervals.
StoredParts = tuple[int, int, int, list[list[int]]]


class SegmentParts:
    """The union of the byte ranges that a session was sent of one segment.

    Renditions of a segment have different sizes and the same media time. So the ranges of all are kept in relation to
    the size of the rendition that came first: the first half of one and the second half of another are a whole.
    """

    def __init__(self, size: int, media_ms: int, counted_ms: int = 0, intervals: list[list[int]] | None = None) -> None:
        self.size = size
        self.media_ms = media_ms
        # Media time of the union in proportion to the bytes, rounded down.
        self.counted_ms = counted_ms
        # [first byte, byte after the last], in order and apart from each other.
        self._intervals: list[list[int]] = intervals or []

    @property
    def is_whole(self) -> bool:
        """Whether all of the segment was sent."""
        return self._intervals == [[0, self.size]]

    def add(self, first: int, end: int, size: int) -> int:
        """Add the bytes from `first` to before `end` of a rendition of this size, and return the growth in ms."""
        first, end = (min(each, size) * self.size // size for each in (first, end))
        if first < end:
            self._unite(first, end)
        before_ms = self.counted_ms
        sent = sum(end - first for first, end in self._intervals)
        # Bounded intervals only grow, so this never decreases.
        self.counted_ms = self.media_ms * sent // self.size
        return self.counted_ms - before_ms

    def _unite(self, first: int, end: int) -> None:
        apart = [each for each in self._intervals if each[1] < first or each[0] > end]
        touching = [each for each in self._intervals if each not in apart]
        united = [min([first, *(each[0] for each in touching)]), max([end, *(each[1] for each in touching)])]
        self._intervals = sorted([*apart, united])
        if len(self._intervals) > INTERVALS_MAX:
            gaps = [after[0] - before[1] for before, after in pairwise(self._intervals)]
            smallest = gaps.index(min(gaps))
            self._intervals[smallest][1] = self._intervals.pop(smallest + 1)[1]

    def stored(self) -> StoredParts:
        """Return the stored form."""
        return self.size, self.media_ms, self.counted_ms, self._intervals
