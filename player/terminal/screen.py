"""The status line: redrawn in place on a terminal; elsewhere one line for each change."""

import os
from dataclasses import dataclass
from typing import TextIO

from player.terminal.formats import clock, points, rate, time_left
from player.terminal.text import cells, fit, fitted, isolated

WIDTH_DEFAULT = 80


@dataclass(frozen=True)
class Status:
    """What the status line shows. `seconds_left` is None where watching is free.

    `others_spending` is the number of other sessions that spend from the same wallet. `waiting_s` is how long the
    player still waits for points, None while it does not.
    """

    activity: str
    title: str
    balance_millipoints: int
    rate_millipoints_per_minute: int
    seconds_left: float | None
    others_spending: int
    waiting_s: float | None = None

    @property
    def heading(self) -> str:
        """The activity, with the time that remains for it."""
        return self.activity if self.waiting_s is None else f"{self.activity} ({clock(self.waiting_s)} more)"


def status_line(status: Status, width: int) -> str:
    """Return the line for a terminal of `width` cells, with the least important parts dropped first."""
    balance = points(status.balance_millipoints)
    left = f"{clock(status.seconds_left)} left" if status.seconds_left is not None else ""
    short = f"{left} ({status.others_spending + 1} screens)" if left and status.others_spending else left
    price = rate(status.rate_millipoints_per_minute)
    heading = status.heading
    full, cut = (f"{heading}: {isolated(title)}" for title in (status.title, fit(status.title, 20)))
    choices = (
        (full, balance, _left(status), price),
        (full, balance, short, price),
        (cut, balance, short, price),
        (heading, balance, short, price),
        (heading, balance, short),
        *([(heading,)] if status.waiting_s is not None else []),
        (balance, short),
        (balance, left),
        (balance,),
    )
    lines = ["  ".join(part for part in choice if part) for choice in choices]
    return next((line for line in lines if cells(line) <= width), fit(lines[-1], width))


def change_line(status: Status) -> str:
    """Return a line for a log: without the title, which never changes."""
    parts = (points(status.balance_millipoints), _left(status), rate(status.rate_millipoints_per_minute))
    return f"{status.activity}: {', '.join(part for part in parts if part)}"


def _left(status: Status) -> str:
    return time_left(status.seconds_left, status.others_spending) if status.seconds_left is not None else ""


class Screen:
    """Writes to one stream. A closed terminal is not an error: the session must still be stopped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._in_place = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._is_drawn = False
        self._last: tuple[str, int] | None = None

    def draw(self, status: Status) -> None:
        """Show the current status."""
        if self._in_place:
            # one cell stays free: a full line would make some terminals wrap
            self._write(f"\r{status_line(status, self._width() - 1)}\x1b[K")
            self._is_drawn = True
            return
        change = (status.activity, status.balance_millipoints)
        if change != self._last:
            self._last = change
            self._write(change_line(status) + "\n")

    def note(self, text: str) -> None:
        """Write lines above the status line, wrapped on a terminal."""
        self.clear()
        lines = fitted(text, self._width()) if self._in_place else [text]
        self._write("\n".join(lines) + "\n")

    def clear(self) -> None:
        """Remove the status line."""
        if self._is_drawn:
            self._write("\r\x1b[K")
            self._is_drawn = False

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
