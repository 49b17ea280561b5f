"""Detects a frozen source: a still picture in silence. Its thresholds also judge published segments and movement."""

from typing import Any

# How often pictures are compared, in microseconds, and at how many points.
INTERVAL_US = 500_000
POINTS = 2_000
# Brightness of video black is 16.
BLACK_MAX = 24
# A difference of brightness that counts, of 255: encoders add some noise to still pictures.
DIFFERENCE = 8
# The share of points that has to differ.
MOVING_SHARE = 0.002
# Louder than this is sound: -54 dB of full scale.
SILENT_LEVEL = 64


class StillnessDetector:
    """A detector that is fed with each picture and its sound. `still_us` is for how long nothing has happened."""

    def __init__(self) -> None:
        self.still_us = 0
        self._compared_us: int | None = None
        self._moved_us = 0
        self._before = b""

    def look(self, at_us: int, picture: Any, sound: bytes) -> None:
        """Take a picture and the 16-bit sound that comes with it."""
        if self._compared_us is None:
            self._moved_us = at_us
        if is_audible(sound):
            self._moved_us = at_us
        if self._compared_us is None or at_us - self._compared_us >= INTERVAL_US:
            self._compared_us = at_us
            points = sample_points(picture)
            if differs(self._before, points):
                self._moved_us = at_us
            self._before = points
        self.still_us = at_us - self._moved_us


def sample_points(picture: Any) -> bytes:
    """Return the brightness of some points of a picture."""
    luma = memoryview(picture.planes[0])
    # Odd, so that the points are not all in one column.
    return bytes(luma[:: max(1, len(luma) // POINTS) | 1])


def differs(before: bytes, now: bytes) -> bool:
    """Return whether two pictures differ. A first picture, or one of another size, does."""
    if len(before) != len(now):
        return True
    if before == now:
        return False
    different = sum(abs(a - b) > DIFFERENCE for a, b in zip(before, now, strict=True))
    return different > MOVING_SHARE * len(now)


def is_audible(sound: bytes) -> bool:
    """Return whether there is something to hear in 16-bit sound."""
    values = memoryview(sound).cast("h")
    return bool(values) and (max(values) > SILENT_LEVEL or min(values) < -SILENT_LEVEL)
