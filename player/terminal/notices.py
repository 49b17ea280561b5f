"""The notices on mpv's picture: when playing starts, when little time is left, and while the viewer tops up."""

from player.terminal.formats import clock, points, rate, time_left
from player.terminal.screen import Status

THRESHOLDS_S = (300, 120, 60)
START_SHOW_S = 5.0
LOW_SHOW_S = 6.0
LAST_SHOW_S = 8.0
# Longer than the time between two updates.
WAIT_SHOW_S = 3.0
# What subtitles count with.
READ_CHARS_PER_S = 17
AHEAD_SENTENCE = "Up to 8 s that were fetched ahead may be charged (see: player receipt)."


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


def last_lease_notice(status: Status, is_daily_cap: bool) -> str:
    """Return the notice for the last lease. Without points left, the balance is the limit that was reached."""
    ends = f"the picture ends in {int(status.seconds_left or 0)} s"
    if not status.balance_millipoints:
        return f"These are the last points: {ends}."
    if is_daily_cap:
        return f"Your daily cap is reached: {ends}."
    return f"The most that you wanted to spend is reached: {ends}."


def message_line(message: str) -> str:
    """Return an operator's message to the viewer as a line."""
    return f"Message from the operator: {message}"


def message_s(message: str) -> float:
    """Return how many seconds a message is shown: as long as reading takes, and two seconds to notice it."""
    return 2.0 + len(message) / READ_CHARS_PER_S


def top_up_line(top_up_url: str | None) -> str:
    """Return where points come from. The address is at the end, so that it can be copied and clicked."""
    return f"Top up at {top_up_url}" if top_up_url else "Ask the operator for points."


def debt_line(debt_millipoints: int) -> str:
    """Return a debt as a sentence."""
    return f"{points(debt_millipoints)} are open from earlier viewing; they are paid first."


def debt_field(debt_millipoints: int) -> str:
    """Return a debt behind the name `Open`."""
    return f"{points(debt_millipoints)} from earlier viewing; your next start pays them first"


def waiting_notice(waiting_s: float, debt_millipoints: int, top_up_url: str | None) -> str:
    """Return the notice while the player waits for points."""
    lines = ["Your points are used up."]
    if debt_millipoints:
        lines.append(debt_line(debt_millipoints))
    return "\n".join([*lines, top_up_line(top_up_url), f"Waiting {clock(waiting_s)} more. Nothing is bought."])


def reserve_sentence(reserved_millipoints: int) -> str:
    """Return what happens to the part of a lease that was kept at the stop, because it may have been fetched."""
    return f"Up to {points(reserved_millipoints)} come back if they were not fetched (see: player receipt)."
