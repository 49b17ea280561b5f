"""A run's reports: a line of JSON a second, for the worker."""

import json
import time
from collections import deque
from collections.abc import Callable

from worker.transcoding.repairs import RunRepairs
from worker.transcoding.source_activity import SourceActivity

REPORT_INTERVAL_S = 1.0
# The speed is the mean of so long. In one second 25 pictures a second are made as 24 or as 26.
SPEED_WINDOW_S = 5.0


class Reporter:
    """The writer of a line a second."""

    def __init__(self, repairs: RunRepairs, now_s: Callable[[], float] = time.monotonic) -> None:
        self._repairs = repairs
        self._now_s = now_s
        # The source's activity in the last second, where it is decoded.
        self.activity: SourceActivity | None = None
        # When the lines of the window were written, and how much was made by then.
        self._lines: deque[tuple[float, int]] = deque([(now_s(), 0)])

    def report(
        self,
        out_us: int,
        source_us: int | None = None,
        *,
        size: tuple[int, int] | None = None,
        at_once: bool = False,
    ) -> None:
        """Write a line if one is due."""
        now_s = self._now_s()
        if now_s - self._lines[-1][0] < REPORT_INTERVAL_S and not at_once:
            return
        line = {
            "out_us": out_us,
            "source_us": source_us,
            "speed": round(self._speed(now_s, out_us), 3),
            "size": size,
            "repairs": self._repairs.counts(),
            "notes": self._repairs.new_notes(),
            "activity": self.activity.take() if self.activity else None,
        }
        print(json.dumps(line), flush=True)

    def _speed(self, now_s: float, out_us: int) -> float:
        """Return how much was made a second, over the window or since the beginning."""
        while len(self._lines) > 1 and now_s - self._lines[1][0] >= SPEED_WINDOW_S:
            self._lines.popleft()
        began_s, began_us = self._lines[0]
        self._lines.append((now_s, out_us))
        return (out_us - began_us) / 1e6 / max(now_s - began_s, 0.001)
