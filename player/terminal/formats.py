"""Amounts, rates and times as people read them."""

from datetime import datetime

MILLIPOINTS_PER_POINT = 1000


def points(millipoints: int) -> str:
    """Return an amount with three decimals and its unit: `12.345 points`."""
    return f"{amount(millipoints)} points"


def amount(millipoints: int, signed: bool = False) -> str:
    """Return an amount in points with three decimals. If `signed`, a positive one has a plus sign."""
    sign = "-" if millipoints < 0 else "+" if signed else ""
    whole, rest = divmod(abs(millipoints), MILLIPOINTS_PER_POINT)
    return f"{sign}{whole}.{rest:03d}"


def short_amount(millipoints: int) -> str:
    """Return an amount in points without trailing zeros: `60`, `0.5`."""
    return amount(millipoints).rstrip("0").rstrip(".")


def rate(millipoints_per_minute: int) -> str:
    """Return a rate: `60 points/min`, or `free`."""
    return f"{short_amount(millipoints_per_minute)} points/min" if millipoints_per_minute else "free"


def clock(seconds: float) -> str:
    """Return a duration as `4:05` or `1:04:05`, rounded down; a negative one as `0:00`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def time_left(seconds: float, others_spending: int, separator: str = " left ") -> str:
    """Return how long the points last, such as `4:05 left with 2 screens on this wallet`."""
    if not others_spending:
        return f"{clock(seconds)}{separator}".rstrip()
    return f"{clock(seconds)}{separator}with {others_spending + 1} screens on this wallet"


def when(epoch_ms: int) -> str:
    """Return a local time: `2026-05-01 18:04:05`."""
    return datetime.fromtimestamp(epoch_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def short_when(epoch_ms: int) -> str:
    """Return a local time in short: `05-01 18:04`."""
    return datetime.fromtimestamp(epoch_ms / 1000).astimezone().strftime("%m-%d %H:%M")


def time_of_day(epoch_ms: int) -> str:
    """Return a local time of day: `02:00`."""
    return datetime.fromtimestamp(epoch_ms / 1000).astimezone().strftime("%H:%M")
