"""The notices on mpv's picture: when playing starts, and when little time is left."""

from player.terminal.formats import points, rate, time_left
from player.terminal.screen import Status

THRESHOLDS_S = (300, 120, 60)
START_SHOW_S = 5.0
LOW_SHOW_S = 6.0


def start_notice(status: Status) -> str:
    """Return the notice for the start: the title, the price, and how long the points last."""
    left = (
        f" ({time_left(status.seconds_left, status.others_spending, ' ')})" if status.seconds_left is not None else ""
    )
    balance = points(status.balance_millipoints)
    return f"{status.title}\n{rate(status.rate_millipoints_per_minute)}, {balance} left{left}"


class LowNotices:
    """The notices at 5, 2 and 1 minutes left. Each is repeated if points were added in between."""

    def __init__(self, seconds_left: float | None) -> None:
        self._last_s = seconds_left

    def due(self, status: Status) -> str | None:
        """Return the notice to show now, or None."""
        last_s, self._last_s = self._last_s, status.seconds_left
        if last_s is None or status.seconds_left is None:
            return None
        if not any(status.seconds_left <= threshold < last_s for threshold in THRESHOLDS_S):
            return None
        return f"{time_left(status.seconds_left, status.others_spending)} ({points(status.balance_millipoints)})"
