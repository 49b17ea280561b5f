"""The state machine of one stream, and when to try again: pure rules, the time handed in as monotonic seconds.

starting -> live -> stalled -> backoff -> starting …      failed: the source itself cannot be used as it is
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.streams import RuntimeState

# The first retry is quick, since most deaths of ffmpeg are accidents; then patience grows.
FIRST_DELAY_S = 0.5
DELAY_S_MAX = 30.0
JITTER = 0.2
STABLE_S = 120.0
# A source that cannot be used is looked at again this often: somebody may put the file there.
REFUSED_DELAY_S = 5.0
SILENT_TARGETS = 3
# Opening a source and making the first segment may take longer than three short segments.
START_S_MIN = 10.0
# An ffmpeg that gets on meanwhile is slow, not stuck: to start it anew on a busy machine would make it slower still.
SLOW_START_FACTOR = 3


@dataclass
class Backoff:
    """Exponential, with jitter so that many streams that died together do not come back together."""

    chance: Callable[[], float] = random.random
    failures: int = 0

    def next_delay_s(self) -> float:
        """How long to wait now."""
        delay = min(FIRST_DELAY_S * 2.0**self.failures, DELAY_S_MAX)
        self.failures = min(self.failures + 1, 16)
        return delay * (1 + JITTER * (2 * self.chance() - 1))

    def reset(self) -> None:
        """All is well again."""
        self.failures = 0


class Supervision:
    """What state a stream is in. Its owner tells it what happened and asks it what to do."""

    def __init__(self, segment_seconds: int, backoff: Backoff | None = None, restarts: int = 0) -> None:
        self.segment_seconds = segment_seconds
        self.state = RuntimeState.STARTING
        self.restarts = restarts
        self.last_error: str | None = None
        self._backoff = backoff or Backoff()
        self._retry_at_s = 0.0
        self._started_at_s = 0.0
        self._live_since_s: float | None = None

    def run_started(self, now_s: float) -> None:
        """ffmpeg was started."""
        self.state = RuntimeState.STARTING
        self._started_at_s = now_s
        self._live_since_s = None

    def published(self, now_s: float, published_at_s: float, error: str | None) -> None:
        """What this run has published last, and what hindered it since: live, or stalled although ffmpeg works.

        A restart would not help against a store that takes nothing, so there is none.
        """
        allowed = SILENT_TARGETS * self.segment_seconds
        if now_s - published_at_s > allowed:
            self.stalled(f"nothing could be published for {allowed} s" + (f": {error}" if error else ""))
            self._live_since_s = None
        elif self._live_since_s is None:
            self.state = RuntimeState.LIVE
            self._live_since_s = now_s
        elif now_s - self._live_since_s >= STABLE_S:
            self._backoff.reset()
            self.last_error = None

    def run_ended(self, now_s: float, error: str) -> None:
        """ffmpeg ended, or was ended, without anybody's wish: try again later."""
        self.state = RuntimeState.BACKOFF
        self.last_error = error
        self.restarts += 1
        self._retry_at_s = now_s + self._backoff.next_delay_s()

    def refused(self, now_s: float, error: str) -> None:
        """The source cannot be used: nothing was started."""
        self.state = RuntimeState.FAILED
        self.last_error = error
        self._retry_at_s = now_s + REFUSED_DELAY_S

    def settings_changed(self, now_s: float, segment_seconds: int) -> None:
        """The operator wants a new run, now."""
        self.segment_seconds = segment_seconds
        self.state = RuntimeState.STARTING
        self.last_error = None
        self._backoff.reset()
        self._retry_at_s = now_s

    def may_start(self, now_s: float) -> bool:
        """Whether the wait is over."""
        return now_s >= self._retry_at_s

    def silence(self, now_s: float, progressed_at_s: float, segment_at_s: float | None) -> str | None:
        """Why the running ffmpeg must be restarted, or None. `segment_at_s` is its newest segment's time, if any."""
        allowed = SILENT_TARGETS * self.segment_seconds
        first_allowed = max(START_S_MIN, allowed) + self.segment_seconds
        if segment_at_s is None:
            if now_s - progressed_at_s <= allowed:
                first_allowed *= SLOW_START_FACTOR
            if now_s - self._started_at_s > first_allowed:
                return f"no segment within {first_allowed:.0f} s of the start"
            return None
        if now_s - segment_at_s > allowed:
            return f"no new segment for {allowed} s"
        if now_s - progressed_at_s > allowed:
            return f"no progress for {allowed} s"
        return None

    def stalled(self, error: str) -> None:
        """Viewers get nothing new; it must be said at once."""
        self.state = RuntimeState.STALLED
        self.last_error = error
