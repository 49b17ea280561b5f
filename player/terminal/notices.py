"""The notices on mpv's picture: when watching starts, and when little time is left."""

from player.session.playback_api import Lease
from player.terminal.formats import points, rate, time_left

THRESHOLDS_S = (300, 120, 60)
START_SHOW_S = 5.0
LOW_SHOW_S = 6.0


def start_notice(title: str, lease: Lease) -> str:
    """Return the text for the start: what is on, what it costs, how long the points last."""
    left = f" ({time_left(lease.seconds_left, lease.others_spending, ' ')})" if lease.seconds_left is not None else ""
    return f"{title}\n{rate(lease.rate_millipoints_per_minute)}, {points(lease.balance_millipoints)} left{left}"


class LowNotices:
    """Says once, at 5, 2 and 1 minutes, that the points run out; again if points were added in between."""

    def __init__(self, seconds_left: float | None) -> None:
        self._last = seconds_left

    def due(self, seconds_left: float | None, balance_millipoints: int, others_spending: int) -> str | None:
        """Return the text to show now, or None."""
        last, self._last = self._last, seconds_left
        if last is None or seconds_left is None:
            return None
        if not any(seconds_left <= threshold < last for threshold in THRESHOLDS_S):
            return None
        return f"{time_left(seconds_left, others_spending)} ({points(balance_millipoints)})"
