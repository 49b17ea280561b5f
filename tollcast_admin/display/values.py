"""Values of the server's answers as people read them. What is unknown (null) is shown as a dash."""

import time
from typing import Any

from player.terminal.formats import amount, clock, short_amount, when

UNKNOWN = "-"
MS_PER_DAY = 86_400_000


def points_of(millipoints: int | None) -> str:
    """Return an amount in points with three decimals."""
    return UNKNOWN if millipoints is None else amount(millipoints)


def rate_of(millipoints_per_minute: int | None) -> str:
    """Return points a minute without trailing zeros."""
    return UNKNOWN if millipoints_per_minute is None else short_amount(millipoints_per_minute)


def duration_of(ms: int | None) -> str:
    """Return a duration as `4:05` or `1:04:05`."""
    return UNKNOWN if ms is None else clock(ms / 1000)


def age_of(at_ms: int | None) -> str:
    """Return how long ago a time is: `0:12`, `1:04:05`, or `3 d` from two days on."""
    if at_ms is None:
        return UNKNOWN
    age_ms = time.time() * 1000 - at_ms
    return clock(age_ms / 1000) if age_ms < 2 * MS_PER_DAY else f"{int(age_ms // MS_PER_DAY)} d"


def when_of(at_ms: int | None) -> str:
    """Return a local time: `2026-05-01 18:04:05`."""
    return UNKNOWN if at_ms is None else when(at_ms)


def text_of(value: Any) -> str:
    """Return a text or a number as it is, true and false as yes and no, the items of a list with commas."""
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 session`, `2 sessions`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def bits_of(bits_per_second: float | None) -> str:
    """Return a bitrate: `850 kbit/s`, `2.5 Mbit/s`."""
    if bits_per_second is None:
        return UNKNOWN
    if bits_per_second < 999_500:
        return f"{bits_per_second / 1000:.0f} kbit/s"
    return f"{bits_per_second / 1_000_000:.1f} Mbit/s"


def bytes_of(count: int | None) -> str:
    """Return an amount of data: `12.3 MB`."""
    return UNKNOWN if count is None else f"{count / 1_000_000:.1f} MB"
