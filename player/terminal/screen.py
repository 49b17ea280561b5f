"""The status line on the terminal, redrawn in place; where there is no terminal, only changes, one a line."""

import os
from dataclasses import dataclass
from typing import TextIO

from player.terminal.formats import before_figures, cells, clock, fit, points, rate, time_left

WIDTH_DEFAULT = 80


@dataclass(frozen=True)
class View:
    """What the status line shows. `seconds_left` is None where nothing is charged.

    `others_spending` screens of the same wallet spend, too.
    """

    state: str
    title: str
    balance_millipoints: int
    rate_millipoints_per_minute: int
    seconds_left: float | None
    others_spending: int


def status_line(view: View, width: int) -> str:
    """Return the line for a terminal of `width` cells: what matters least gives way first."""
    balance = points(view.balance_millipoints)
    bare = f"{clock(view.seconds_left)} left" if view.seconds_left is not None else ""
    short = f"{bare} ({view.others_spending + 1} screens)" if bare and view.others_spending else bare
    price = rate(view.rate_millipoints_per_minute)
    full, cut = (f"{view.state}: {before_figures(title)}" for title in (view.title, fit(view.title, 20)))
    choices = (
        (full, balance, _left(view), price),
        (full, balance, short, price),
        (cut, balance, short, price),
        (view.state, balance, short, price),
        (view.state, balance, short),
        (balance, short),
        (balance, bare),
        (balance,),
    )
    lines = ["  ".join(part for part in choice if part) for choice in choices]
    return next((line for line in lines if cells(line) <= width), fit(lines[-1], width))


def change_line(view: View) -> str:
    """Return a line for a log: the state, without what changes every second."""
    told = (points(view.balance_millipoints), _left(view), rate(view.rate_millipoints_per_minute))
    return f"{view.state}: {', '.join(part for part in told if part)}"


def _left(view: View) -> str:
    return time_left(view.seconds_left, view.others_spending) if view.seconds_left is not None else ""


class Screen:
    """Writes to one stream. A terminal that has gone away is no reason to fail: the session must still be ended."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._in_place = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._drawn = False
        self._last: tuple[str, int] | None = None

    def draw(self, view: View) -> None:
        """Show the state as it is now."""
        if self._in_place:
            # one cell stays free: a full line would make some terminals wrap
            self._write(f"\r{status_line(view, self._width() - 1)}\x1b[K")
            self._drawn = True
            return
        change = (view.state, view.balance_millipoints)
        if change != self._last:
            self._last = change
            self._write(change_line(view) + "\n")

    def note(self, text: str) -> None:
        """Write a line of its own, above the status line."""
        self.clear()
        self._write(text + "\n")

    def clear(self) -> None:
        """Take the status line away."""
        if self._drawn:
            self._write("\r\x1b[K")
            self._drawn = False

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or WIDTH_DEFAULT
        except (OSError, ValueError):
            return WIDTH_DEFAULT

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._in_place = False
