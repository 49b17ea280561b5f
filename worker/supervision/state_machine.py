"""The state machine of one stream, and when its encoder must be replaced: pure rules, time as monotonic seconds.

starting -> live -> stalled -> backoff -> starting …      failed: no source can be used as it is

While the slate is shown a stream is stalled: viewers have a picture, and pay nothing for it. `worker.ingest.failover`
decides what is tried next, and when.
"""

from chalicelib.domain.streams.runtime import RuntimeState
from worker.encoding.transcoder import SILENT_TARGETS

STABLE_S = 120.0
# Opening a source and making the first segment may take longer than three short segments.
START_S_MIN = 10.0
# An encoder with progress is slow, not stuck: a restart on a busy machine would make it slower still.
SLOW_START_FACTOR = 3


class StreamStateMachine:
    """The state of a stream. Its owner reports what happened and asks what to do."""

    def __init__(self, segment_seconds: int, restarts: int = 0) -> None:
        self.segment_seconds = segment_seconds
        self.state = RuntimeState.STARTING
        self.restarts = restarts
        self.last_error: str | None = None
        # The present run has been live for so long that earlier errors do not count any more.
        self.is_stable = False
        self._is_slate = False
        self._was_live = False
        self._started_at_s = 0.0
        self._live_since_s: float | None = None

    def start_run(self, now_s: float, trouble: str | None = None, *, is_slate: bool = False) -> None:
        """Note that an encoder was started, of the slate if `is_slate`. `trouble` is what else is wrong."""
        self.state = RuntimeState.STALLED if is_slate else RuntimeState.STARTING
        self._begin(now_s, trouble, is_slate)

    def switch_run(self, now_s: float, trouble: str | None = None) -> None:
        """Note that a run of a better source has replaced one. What is published bridges its start."""
        if self.state is not RuntimeState.LIVE:
            self.state = RuntimeState.STARTING
        self._begin(now_s, trouble, is_slate=False)

    def record_published(self, now_s: float, published_at_s: float, error: str | None) -> None:
        """Decide between live and stalled by what this run has published last. `error` is what hinders it since.

        A restart would not help against a store that rejects everything, so there is none.
        """
        allowed = SILENT_TARGETS * self.segment_seconds
        if now_s - published_at_s > allowed:
            self.stall(f"nothing could be published for {allowed} s" + (f": {error}" if error else ""))
            self._live_since_s, self.is_stable = None, False
        elif self._is_slate:
            return
        elif self._live_since_s is None:
            self.state = RuntimeState.LIVE
            self._live_since_s, self._was_live = now_s, True
        else:
            self.is_stable = now_s - self._live_since_s >= STABLE_S

    def check_awaited(self, now_s: float, published_at_s: float) -> None:
        """Stall the stream if this run has published nothing for too long since the last run did."""
        allowed = max(START_S_MIN, SILENT_TARGETS * self.segment_seconds)
        if self.state is RuntimeState.LIVE and now_s - published_at_s > allowed:
            self.stall(f"nothing could be published for {allowed:.0f} s")

    def end_run(self, error: str) -> None:
        """Note that the encoder ended, or was ended, and not on purpose."""
        self.state = RuntimeState.BACKOFF
        self.last_error = error
        self.restarts += 1

    def wait(self, state: RuntimeState, reason: str) -> None:
        """Note why nothing can be started. A stream that was live before is stalled, not starting."""
        waits = state is RuntimeState.STARTING and self._was_live
        self.state = RuntimeState.STALLED if waits else state
        self.last_error = reason

    def change_settings(self, segment_seconds: int) -> None:
        """Note that the operator wants a new run."""
        self.segment_seconds = segment_seconds
        self.state = RuntimeState.STARTING
        self.last_error = None

    def restart_reason(self, now_s: float, progressed_at_s: float, segment_at_s: float | None) -> str | None:
        """Return why the running encoder must be restarted, if it must.

        `segment_at_s` is its newest segment's time, if there is one.
        """
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

    def stall(self, error: str) -> None:
        """Note that viewers get nothing new. The caller reports that at once."""
        self.state = RuntimeState.STALLED
        self.last_error = error

    def _begin(self, now_s: float, trouble: str | None, is_slate: bool) -> None:
        self.last_error = trouble
        self.is_stable = False
        self._is_slate = is_slate
        self._started_at_s = now_s
        self._live_since_s = None
