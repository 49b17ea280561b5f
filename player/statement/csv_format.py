"""Read statements from CSV (RFC 4180): a header, a row for the opening, then a row for each line."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from player.statement.statement import (
    AT_MS_MAX,
    INTEGERS,
    LINE_FIELDS,
    LINES_MAX,
    Line,
    MalformedError,
    State,
    Statement,
    checked_line,
    display,
)

# Those of `chalicelib/api/money/statements.py`, which writes the file: a line, and its time in readable form.
COLUMNS = (LINE_FIELDS[0], "at", *LINE_FIELDS[1:])
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
TEXTS_IN_OPENING = ("session_id", "stream_id", "seq", "payment_id", "note")
FIELD_CHARS_MAX = 10_000


def read_csv(text: str) -> Statement:
    """Read a statement. Its lines are checked when they are iterated. Raise MalformedError."""
    rows = _rows(text)
    _, header = next(rows)
    if tuple(header) != COLUMNS:
        raise MalformedError(f"it is not a Tollcast statement: its first line must be {','.join(COLUMNS)}")
    place, row = next(rows, ("", []))
    if not row:
        raise MalformedError("the row of the opening is missing")
    return Statement(row[COLUMNS.index("entry_id")], _opening(row, place), _lines(rows), closing=None)


def _rows(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the rows of a CSV, each with the number of its first line. Raise MalformedError."""
    csv.field_size_limit(FIELD_CHARS_MAX)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    first_line, is_blank = 1, False
    try:
        for row in reader:
            place = f"line {first_line}"
            if not row:
                # Editors add empty lines at the end; elsewhere they are errors.
                is_blank = True
                continue
            if is_blank:
                raise MalformedError("it comes after an empty line", place)
            if first_line > 1 and len(row) != len(COLUMNS):
                raise MalformedError(f"it must have {len(COLUMNS)} columns, and has {len(row)}", place)
            yield place, row
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise MalformedError(f"it is not CSV: {error}", f"line {first_line}") from None


def _opening(row: list[str], place: str) -> State:
    fields = dict(zip(COLUMNS, row, strict=True))
    if fields["kind"] != "opening":
        raise MalformedError(f"kind must be opening, and is {display(fields['kind'])}", place)
    if fields["delta_millipoints"] != "0" or any(fields[name] for name in TEXTS_IN_OPENING):
        raise MalformedError("an opening has no change, session or payment", place)
    version, balance = (_integer(fields[name], name, place) for name in ("version", "balance_millipoints"))
    if fields["at"] or fields["at_ms"]:
        at_ms = _integer(fields["at_ms"], "at_ms", place)
        if not 0 <= at_ms < AT_MS_MAX or fields["at"] not in readable_times(at_ms):
            raise MalformedError(f"at must be the readable form of at_ms, and is {display(fields['at'])}", place)
    return State(version, balance, fields["hash"])


def _lines(rows: Iterator[tuple[str, list[str]]]) -> Iterator[Line]:
    for count, (place, row) in enumerate(rows, start=1):
        if count > LINES_MAX:
            raise MalformedError(f"it has more lines than a statement may have ({LINES_MAX:,})")
        fields: dict[str, Any] = {name: value or None for name, value in zip(COLUMNS, row, strict=True)}
        at = fields.pop("at")
        for name in INTEGERS:
            fields[name] = _integer(fields[name] or "", name, place)
        if fields["seq"] is not None:
            fields["seq"] = _integer(fields["seq"], "seq", place)
        yield Line(place, checked_line(fields, place), at or "")


def readable_times(at_ms: int) -> tuple[str, str]:
    """Return the two forms that `at` may have: ISO 8601 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{at_ms % 1000:03d}Z", f"{moment}.{at_ms % 1000:03d}+00:00"


def _integer(text: str, name: str, place: str) -> int:
    if not INTEGER.fullmatch(text):
        raise MalformedError(f"{name} must be a whole number, and is {display(text)}", place)
    return int(text)
