"""Measures how fast the clock of a source's sound is against that of its picture."""

from collections import deque

from worker.transcoding.plan import SAMPLE_RATE

# Over so much a speed is measured.
DRIFT_WINDOW_US = 20_000_000
# A step of this size is no drift. It is the bound from which sound is repaired (`sound_line.GAP_US`).
STEP_US_MIN = 40_000


class DriftMeter:
    """A meter of the sound that has come without a break."""

    def __init__(self) -> None:
        self._window: deque[tuple[int, int]] = deque()
        self._heard = 0

    def restart(self) -> None:
        """Measure from here on. At the turn of a loop, sound and picture start again, which looks like a drift."""
        self._window.clear()

    def add(self, at_us: int, samples: int) -> int | None:
        """Take samples that are to be heard at `at_us`. Return the drift in ppm, None while it is unknown.

        It is positive if the sound clock is fast: there are more samples than its time stamps have time for.
        """
        if self._window:
            last_us, last = self._window[-1]
            if abs(at_us - last_us - _duration_us(self._heard - last)) > STEP_US_MIN:
                self.restart()
        self._window.append((at_us, self._heard))
        self._heard += samples
        (first_us, first), (last_us, last) = self._window[0], self._window[-1]
        lasted_us = last_us - first_us
        if lasted_us < DRIFT_WINDOW_US:
            return None
        while at_us - self._window[0][0] >= DRIFT_WINDOW_US:
            self._window.popleft()
        return round((_duration_us(last - first) - lasted_us) / lasted_us * 1e6)


def _duration_us(samples: int) -> float:
    return samples * 1e6 / SAMPLE_RATE
