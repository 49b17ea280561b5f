"""How far apart the keyframes of a live source are, which cannot be known before it is played."""

from collections import deque

from chalicelib.domain.streams.pacing import SEGMENT_SECONDS_MAX
from worker.media.messages import VIDEO, decoded_at_us, is_video_keyframe

# Time stamps of senders are rounded to milliseconds and more.
ROUNDING_US = 100_000
INTERVAL_US_MAX = SEGMENT_SECONDS_MAX * 1_000_000 + ROUNDING_US
# So many of the newest intervals are kept.
NEWEST = 4
# One may be an exception, but for the first: before its end, nothing is published.
LONG_MAX = 1


class KeyframeIntervals:
    """The intervals of a source's keyframes, from the first one on."""

    def __init__(self) -> None:
        # Two in a row were longer than a copied segment may be, or the first one was.
        self.are_too_long = False
        self._keyframe_us: int | None = None
        self._newest_us: deque[int] = deque(maxlen=NEWEST)
        self._pending_us = 0
        self._long = LONG_MAX

    @property
    def longest_s(self) -> float | None:
        """Return the longest of the newest intervals, and of the time since the last keyframe; None before two."""
        newest_us = tuple(self._newest_us)
        return max(*newest_us, self._pending_us) / 1e6 if newest_us else None

    def add(self, body: bytes) -> None:
        """Take the body of a packet."""
        if body[:1] != bytes((VIDEO,)):
            return
        at_us = decoded_at_us(body)
        self._pending_us = 0 if self._keyframe_us is None else at_us - self._keyframe_us
        is_long = self._keyframe_us is not None and at_us - self._keyframe_us > INTERVAL_US_MAX
        self.are_too_long |= is_long and self._long >= LONG_MAX
        if is_video_keyframe(body):
            if self._keyframe_us is not None:
                self._long = self._long + 1 if is_long else 0
                self._newest_us.append(at_us - self._keyframe_us)
            self._keyframe_us = at_us
