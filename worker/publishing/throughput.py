"""A stream's throughput: its bitrate over the last seconds, and its segments over the last minute."""

import time
from collections import deque
from collections.abc import Callable

BITRATE_WINDOW_S = 10.0
RATE_WINDOW_S = 60.0


class ThroughputStats:
    """Bitrate and segment rate. Filled by the publishing thread, read by the supervising one."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.bitrate_bps: int | None = None
        self._monotonic = monotonic
        self._sizes: deque[tuple[float, int]] = deque()
        self._added_s: deque[float] = deque()
        # When the first segment was begun.
        self._since_s: float | None = None

    @property
    def segments_per_minute(self) -> float | None:
        """Return the rate over the last minute, or since the first segment; None before it."""
        if self._since_s is None:
            return None
        now_s = self._monotonic()
        # Copied, since the other thread may add one meanwhile.
        count = sum(at_s > now_s - RATE_WINDOW_S for at_s in list(self._added_s))
        return round(60 * count / min(RATE_WINDOW_S, now_s - self._since_s), 1)

    def add(self, duration_s: float, size: int) -> None:
        """Count a segment of so many bytes."""
        now_s = self._monotonic()
        if self._since_s is None:
            # A segment takes as long to make as it plays.
            self._since_s = now_s - duration_s
        self._added_s.append(now_s)
        while self._added_s[0] <= now_s - RATE_WINDOW_S:
            self._added_s.popleft()
        self._sizes.append((duration_s, size))
        while len(self._sizes) > 1 and sum(each for each, _ in self._sizes) - self._sizes[0][0] >= BITRATE_WINDOW_S:
            self._sizes.popleft()
        self.bitrate_bps = int(8 * sum(size for _, size in self._sizes) / sum(each for each, _ in self._sizes))
