"""Showing something again and again: in place on a terminal, else as new lines when it changed."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol, TextIO

import click

from player.errors import UnreachableError
from player.exit_status import ExitStatus
from player.http.client import ProblemError
from player.terminal.output import terminal_size
from player.terminal.text import fit, wrapped

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
TOO_MANY_REQUESTS = 429


def watch(render: Callable[[], list[str]], every_s: float) -> None:
    """Show the lines that `render` returns every `every_s` seconds, until Ctrl-C or SIGTERM ends the program.

    While the server cannot be reached, the last lines stay, with the reason below them. Raise what else `render` does.
    """
    with _ending_by_signals():
        display: Display = TerminalDisplay(sys.stdout) if sys.stdout.isatty() else LineDisplay(sys.stdout)
        try:
            _show_repeatedly(render, every_s, display)
        finally:
            display.close()


class Display(Protocol):
    """Where lines are shown."""

    def show(self, lines: list[str], note: str, failed: bool) -> None:
        """Show lines and a note about the last request, which may have failed."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class TerminalDisplay:
    """A screen of its own on the terminal, redrawn in place."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._write(ENTER)

    def show(self, lines: list[str], note: str, failed: bool) -> None:
        """Redraw the screen."""
        self._write(screen_text(lines, note, *terminal_size()))

    def close(self) -> None:
        """Return to the screen before."""
        self._write(LEAVE)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class LineDisplay:
    """A pipe or a file: the lines are written when they changed, failures go to standard error."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: list[str] = []

    def show(self, lines: list[str], note: str, failed: bool) -> None:
        """Write the lines if they changed."""
        if failed:
            click.echo(note, err=True)
        elif lines != self._last:
            self._stream.write("\n".join([*lines, ""]))
            self._stream.flush()
            self._last = lines

    def close(self) -> None:
        """Do nothing."""


def screen_text(lines: list[str], note: str, columns: int, rows: int) -> str:
    """Return what redraws a terminal: as many lines as fit above the note, and how many are left out."""
    notes = wrapped(note, columns)
    room = max(1, rows - len(notes) - 1)
    if len(lines) > room:
        lines = [*lines[: room - 1], f"… and {len(lines) - room + 1} more lines"]
    shown = [*(fit(line, columns) for line in lines), "", *notes]
    return HOME + (REST_OF_LINE + "\r\n").join(shown[:rows]) + REST_OF_LINE + REST_OF_SCREEN


def _show_repeatedly(render: Callable[[], list[str]], every_s: float, display: Display) -> None:
    lines: list[str] = []
    while True:
        wait_s, failed = every_s, False
        try:
            lines = render()
            note = f"Every {every_s:g} s, last at {time.strftime('%H:%M:%S')}. Ctrl-C ends it."
        except UnreachableError as error:
            note, failed = f"{error.message} Trying again every {every_s:g} s.", True
        except ProblemError as problem:
            if problem.status != TOO_MANY_REQUESTS:
                raise
            wait_s, note, failed = max(every_s, problem.retry_after_s or 0), problem.format_message(), True
        display.show(lines, note, failed)
        time.sleep(wait_s)


@contextmanager
def _ending_by_signals() -> Iterator[None]:
    """End the program with the status of the signal, after the terminal got its screen back."""
    before = signal.signal(signal.SIGTERM, _on_sigterm)
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(int(ExitStatus.INTERRUPTED))
    finally:
        signal.signal(signal.SIGTERM, before)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    sys.exit(int(ExitStatus.TERMINATED))
