"""Amounts, times and tables as people read them. Pure functions."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime

from wcwidth import iter_graphemes, wcstwidth

MILLIPOINTS_PER_POINT = 1000
NARROWEST = 4
# Between the columns of a table.
GAP = 2
# ZWNJ, ZWJ, the three marks of direction, which reach no further than their neighbours, and signs of Arabic numbers.
JOINERS_AND_MARKS = "\u200c\u200d\u200e\u200f\u061c\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u08e2"


def points(millipoints: int) -> str:
    """Return an amount with three decimals and its unit: `12.345 points`."""
    return f"{amount(millipoints)} points"


def amount(millipoints: int, signed: bool = False) -> str:
    """Return an amount in points with three decimals, with a plus sign if `signed` and not negative."""
    sign = "-" if millipoints < 0 else "+" if signed else ""
    whole, rest = divmod(abs(millipoints), MILLIPOINTS_PER_POINT)
    return f"{sign}{whole}.{rest:03d}"


def short_amount(millipoints: int) -> str:
    """Return an amount in points without needless zeros: `60`, `0.5`."""
    return amount(millipoints).rstrip("0").rstrip(".")


def rate(millipoints_per_minute: int) -> str:
    """Return a rate: `60 points/min`, or `free`."""
    return f"{short_amount(millipoints_per_minute)} points/min" if millipoints_per_minute else "free"


def clock(seconds: float) -> str:
    """Return a time span as `4:05` or `1:04:05`. Parts of a second are dropped; less than nothing is `0:00`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def time_left(seconds: float, others_spending: int, separator: str = " left ") -> str:
    """Return how long the points last, and with how many others: `4:05 left with 2 screens on this wallet`."""
    if not others_spending:
        return f"{clock(seconds)}{separator}".rstrip()
    return f"{clock(seconds)}{separator}with {others_spending + 1} screens on this wallet"


def when(epoch_ms: int) -> str:
    """Return a moment in local time: `2026-05-01 18:04:05`."""
    return datetime.fromtimestamp(epoch_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def short_when(epoch_ms: int) -> str:
    """Return a moment in local time where there is little room: `05-01 18:04`."""
    return datetime.fromtimestamp(epoch_ms / 1000).astimezone().strftime("%m-%d %H:%M")


def time_of_day(epoch_ms: int) -> str:
    """Return a time of day in local time: `02:00`."""
    return datetime.fromtimestamp(epoch_ms / 1000).astimezone().strftime("%H:%M")


def printable(text: str) -> str:
    """Return text from the server without what could steer the terminal or change the order of the text after it.

    Characters without a shape that words and emoji are made with stay, and so do those newer than Python's tables.
    """
    return "".join(char if _is_harmless(char) else " " for char in text).strip()


def _is_harmless(char: str) -> bool:
    category = unicodedata.category(char)
    if category == "Cf":
        return char in JOINERS_AND_MARKS or "\U000e0020" <= char <= "\U000e007f"  # tags: the flag of Scotland
    return category == "Cn" or not category.startswith(("C", "Z"))


def before_figures(text: str) -> str:
    """Return a text that figures may follow: behind right-to-left letters, terminals would show them on the left."""
    is_right_to_left = any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)
    return f"{text}\u200e" if is_right_to_left else text


def cells(text: str) -> int:
    """Return how many cells a text takes on this terminal: wide characters and most emoji two, combining marks none."""
    return max(0, wcstwidth(text))


def fit(text: str, width: int) -> str:
    """Return the text cut to `width` cells, with an ellipsis where something is missing."""
    if cells(text) <= width:
        return text
    kept, used = "", 0
    for cluster in iter_graphemes(text):
        used += cells(cluster)
        if used > width - 1:
            break
        kept += cluster
    return kept + "…" if width > 0 else ""


def wrapped(text: str, width: int) -> list[str]:
    """Return the text in lines of `width` cells at most, broken between words; a longer word is broken, too.

    A line takes one character at least, and there is one line at least.
    """
    lines: list[str] = []
    for word in text.split():
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for cluster in iter_graphemes(word):
            if lines[-1] and cells(lines[-1]) + cells(cluster) > width:
                lines.append("")
            lines[-1] += cluster
    return lines or [""]


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    right: Sequence[int] = (),
    gives_way: Sequence[int] = (),
) -> list[str]:
    """Return a table's lines, none wider than `width` cells: the widest column gives way.

    `right` holds the numbers of the columns that are aligned to the right, `gives_way` those that give way first.
    """
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(cells(line[column]) for line in lines) for column in range(len(header))]
    excess = sum(widths) + GAP * (len(widths) - 1) - width
    for column in gives_way:
        cut = min(excess, widths[column] - NARROWEST)
        if cut > 0:
            widths[column] -= cut
            excess -= cut
    while excess > 0 and max(widths) > NARROWEST:
        widest = widths.index(max(widths))
        widths[widest] -= 1
        excess -= 1
    return [
        fit((" " * GAP).join(_cell(*cell) for cell in _aligned(line, widths, right)).rstrip(), width) for line in lines
    ]


def _aligned(line: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> list[tuple[str, int, bool]]:
    return [(text, widths[column], column in right) for column, text in enumerate(line)]


def _cell(text: str, width: int, to_the_right: bool) -> str:
    shown = fit(text, width)
    padding = " " * (width - cells(shown))
    return padding + shown if to_the_right else shown + padding
