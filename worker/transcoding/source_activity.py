"""A source's activity in the last second. The worker compares it with what is published."""

from typing import Any

from worker.transcoding.stillness import BLACK_MAX, INTERVAL_US, differs, is_audible, sample_points


class SourceActivity:
    """What decoded pictures and sound show, before anything is repaired."""

    def __init__(self) -> None:
        self._heard = self._moves = False
        self._brightest = 0
        self._before = b""
        self._compared_us: int | None = None

    def sound(self, data: bytes) -> None:
        """Take 16-bit sound."""
        self._heard = self._heard or is_audible(data)

    def picture(self, at_us: int, frame: Any) -> None:
        """Take a picture."""
        if self._compared_us is not None and 0 <= at_us - self._compared_us < INTERVAL_US:
            return
        self._compared_us = at_us
        points, before = sample_points(frame), self._before
        self._before = points
        self._moves = self._moves or (bool(before) and differs(before, points))
        self._brightest = max(self._brightest, *points)

    def take(self) -> dict[str, bool]:
        """Return the activity since the last call."""
        found = {"heard": self._heard, "moves": self._moves, "dark": self._brightest <= BLACK_MAX}
        self._heard = self._moves = False
        self._brightest = 0
        return found
