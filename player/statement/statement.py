"""A saved statement, read with suspicion: either format becomes an opening, lines in order, and (JSON) a closing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from player.errors import CliError
from player.outcome import ExitStatus
from player.terminal.formats import printable

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
INTEGERS_OR_NONE = ("seq",)
TEXTS = ("entry_id", "kind", "hash")
AT_MS_MAX = 32_503_680_000_000  # the year 3000
SHOWN_CHARS = 80


class BadStatementError(CliError):
    """The file is no statement, or one whose lines do not fit."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{printable(path)}: {problem}", "", ExitStatus.FAILED)


class MalformedError(Exception):
    """Something in the file has not the form that it must have. `place` says where, if it can be told."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(f"{place}: {problem}" if place else problem)


@dataclass(frozen=True)
class State:
    """A ledger after one of its versions."""

    version: int
    balance_millipoints: int
    hash: str


@dataclass(frozen=True)
class Line:
    """A line of a statement. `place` is where people find it in the file; `at` is the CSV's readable time."""

    place: str
    fields: dict[str, Any]
    at: str | None = None


@dataclass(frozen=True)
class Statement:
    """A statement. `lines` can be gone through once; reading on raises MalformedError. CSV has no closing."""

    user_id: str
    opening: State
    lines: Iterator[Line]
    closing: State | None


def read_statement(path: Path) -> Statement:
    """Read a saved statement of either format; what begins with a brace is JSON. Raises MalformedError and OSError."""
    from player.statement.csv_format import read_csv
    from player.statement.json_format import read_json

    with path.open("rb") as file:
        data = file.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise MalformedError(f"it is larger than a statement may be ({BYTES_MAX // 1_000_000} MB)")
    try:
        # Some editors put a mark before the first character.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedError(f"it is not UTF-8 text (byte {error.start + 1})") from None
    if not text.strip():
        raise MalformedError("it is empty")
    return read_json(text) if text.lstrip().startswith(("{", "[")) else read_csv(text)


def checked_line(fields: dict[str, Any], place: str) -> dict[str, Any]:
    """Return a line's fields if each has the type that it must have. Raises MalformedError."""
    for name in INTEGERS:
        _check(type(fields[name]) is int, name, "a whole number", fields[name], place)
    _check(0 <= fields["at_ms"] < AT_MS_MAX, "at_ms", "a time in milliseconds", fields["at_ms"], place)
    for name in INTEGERS_OR_NONE:
        _check(fields[name] is None or type(fields[name]) is int, name, "a whole number or none", fields[name], place)
    for name in TEXTS:
        _check(isinstance(fields[name], str), name, "a text", fields[name], place)
    for name in ("session_id", "stream_id", "payment_id", "note"):
        _check(fields[name] is None or isinstance(fields[name], str), name, "a text or none", fields[name], place)
    return fields


def _check(fits: bool, name: str, allowed: str, found: Any, place: str) -> None:
    if not fits:
        raise MalformedError(f"{name} must be {allowed}, and is {shown(found)}", place)


def shown(value: Any) -> str:
    """Return a value of the file for people, without control characters and not too long."""
    text = printable("none" if value is None else str(value)) or '""'
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"
