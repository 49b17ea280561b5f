"""When to beat, and with which sequence number. No clock and no network of its own: both are handed in."""

from collections.abc import Callable

from player.session.playback_api import Lease

BACKOFF_FIRST_S = 0.25
BACKOFF_MOST_S = 4.0
REJOIN_S = 15.0


class BeatSchedule:
    """The timing of one session's beats.

    `seq` is the number of the next beat, `due_at` when to send it, `deadline` when the paid time and its grace are
    over (play tokens live exactly that long). All times are seconds of one monotonic clock. `jitter` returns numbers
    from 0 to 1, so that a thousand players do not come back to a mended server at the same moment.
    """

    def __init__(self, lease: Lease, now: float, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self.answered(lease, now)

    def answered(self, lease: Lease, now: float) -> None:
        """Take an answer: the next beat is the one after the last that the server counted.

        So an early beat, which counts for nothing, is sent again with the same number.
        """
        self.failures = 0
        self.seq = lease.seq + 1
        self.due_at = now + lease.next_beat_in_ms / 1000
        self.deadline = now + lease.expires_in_s

    def failed(self, now: float, retry_after_s: float | None = None) -> None:
        """Take a failure: the same beat again after a while that grows, and one last time at the deadline."""
        backoff = min(BACKOFF_FIRST_S * 2**self.failures, BACKOFF_MOST_S) * (0.5 + self._jitter() / 2)
        self.failures += 1
        self.due_at = min(now + max(backoff, retry_after_s or 0.0), max(self.deadline, now))

    def hurry(self, now: float) -> None:
        """Make the next beat due now, unless failures hold it back anyway."""
        if not self.failures:
            self.due_at = min(self.due_at, now)

    def resumed(self, now: float) -> None:
        """Make the next beat due now after a pause, with time to find the network again."""
        self.failures = 0
        self.due_at = now
        self.deadline = max(self.deadline, now + REJOIN_S)

    def lost(self, now: float) -> bool:
        """Return whether beats have failed until nothing is paid for any more."""
        return self.failures > 0 and now >= self.deadline
