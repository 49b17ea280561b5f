"""When to send the next heartbeat, and with which sequence number. Without clock and network: callers pass the time."""

from collections.abc import Callable

from player.session.playback_api import Lease

BACKOFF_S_MIN, BACKOFF_S_MAX = 0.25, 4.0
REJOIN_S = 15.0


class HeartbeatSchedule:
    """The timing of one session's heartbeats. All times are seconds of one monotonic clock.

    `seq` is the number of the next heartbeat and `due_at` its time. At `deadline` the paid time and its grace are over,
    and the play token expires. `jitter` returns numbers from 0 to 1; it spreads the retries of many players.
    """

    def __init__(self, lease: Lease, now: float, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self.answered(lease, now)

    def answered(self, lease: Lease, now: float) -> None:
        """Schedule the heartbeat after the last one that the server counted.

        An early heartbeat does not count, so it is sent again with the same number.
        """
        self.failures = 0
        self.seq = lease.seq + 1
        self.due_at = now + lease.next_beat_in_ms / 1000
        self.deadline = now + lease.expires_in_s

    def failed(self, now: float, retry_after_s: float | None = None) -> None:
        """Schedule a retry of the same heartbeat: with exponential backoff, and at the deadline at the latest."""
        backoff = min(BACKOFF_S_MIN * 2**self.failures, BACKOFF_S_MAX) * (0.5 + self._jitter() / 2)
        self.failures += 1
        self.due_at = min(now + max(backoff, retry_after_s or 0.0), max(self.deadline, now))

    def hurry(self, now: float) -> None:
        """Make the next heartbeat due now, unless it is a retry."""
        if not self.failures:
            self.due_at = min(self.due_at, now)

    def resumed(self, now: float) -> None:
        """Make the next heartbeat due now after a pause, with time to reconnect to the network."""
        self.failures = 0
        self.due_at = now
        self.deadline = max(self.deadline, now + REJOIN_S)

    def is_lost(self, now: float) -> bool:
        """Return whether heartbeats have failed until the deadline."""
        return self.failures > 0 and now >= self.deadline
