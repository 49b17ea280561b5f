"""Durations as people write them: 90s, 10m, 2h."""

import re

DURATION = re.compile(r"([0-9]{1,6})([smh])")
UNITS_S = {"s": 1, "m": 60, "h": 3_600}


def duration_s(text: str) -> int | None:
    """Return a duration in seconds, None for a text that is none."""
    match = DURATION.fullmatch(text.strip().lower())
    return int(match[1]) * UNITS_S[match[2]] if match else None
