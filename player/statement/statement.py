"""The parts of a saved statement and the checks of their types: an opening, lines, and (JSON only) a closing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from player.errors import CliError
from player.exit_status import ExitStatus
from player.terminal.text import printable

FORMAT = "tollcast-statement-1"
BYTES_MAX = 100_000_000
LINES_MAX = 1_000_000
LINE_FIELDS = (
    "version",
    "at_ms",
    "entry_id",
    "kind",
    "delta_millipoints",
    "balance_millipoints",
    "session_id",
    "stream_id",
    "seq",
    "payment_id",
    "note",
    "hash",
)
INTEGERS = ("version", "at_ms", "delta_millipoints", "balance_millipoints")
TEXTS = ("entry_id", "kind", "hash")
AT_MS_MAX = 32_503_680_000_000  # the year 3000
SHOWN_CHARS = 80


class BadStatementError(CliError):
    """The file is not a statement, or its lines do not match."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{printable(path)}: {problem}", "", ExitStatus.FAILED)


class MalformedError(Exception):
    """A part of the file does not have the required form. `place` says where, if known."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(f"{place}: {problem}" if place else problem)


@dataclass(frozen=True)
class State:
    """The state of a ledger after a version."""

    version: int
    balance_millipoints: int
    hash: str


@dataclass(frozen=True)
class Line:
    """A line of a statement. `place` is its place in the file, for people; `at` is the readable time of a CSV."""

    place: str
    fields: dict[str, Any]
    at: str | None = None


@dataclass(frozen=True)
class Statement:
    """A statement. `lines` can be iterated once and raises MalformedError. CSV has no closing."""

    user_id: str
    opening: State
    lines: Iterator[Line]
    closing: State | None


def checked_line(fields: dict[str, Any], place: str) -> dict[str, Any]:
    """Return a line's fields if each has the required type. Raise MalformedError."""
    for name in INTEGERS:
        _check(type(fields[name]) is int, name, "a whole number", fields[name], place)
    _check(0 <= fields["at_ms"] < AT_MS_MAX, "at_ms", "a time in milliseconds", fields["at_ms"], place)
    seq = fields["seq"]
    _check(seq is None or type(seq) is int, "seq", "a whole number or none", seq, place)
    for name in TEXTS:
        _check(isinstance(fields[name], str), name, "a text", fields[name], place)
    for name in ("session_id", "stream_id", "payment_id", "note"):
        _check(fields[name] is None or isinstance(fields[name], str), name, "a text or none", fields[name], place)
    return fields


def _check(is_valid: bool, name: str, allowed: str, found: Any, place: str) -> None:
    if not is_valid:
        raise MalformedError(f"{name} must be {allowed}, and is {display(found)}", place)


def display(value: Any) -> str:
    """Return a value as printable and short text."""
    text = printable("none" if value is None else str(value)) or '""'
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"
