"""Statements as JSON: one document with opening, lines and closing."""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from player.statement.statement import (
    FORMAT,
    LINE_FIELDS,
    LINES_MAX,
    Line,
    MalformedError,
    State,
    Statement,
    checked_line,
    display,
)

DOCUMENT_FIELDS = {"format", "user_id", "created_at_ms", "opening", "lines", "closing", "next_after_version"}
STATE_FIELDS = {"version", "balance_millipoints", "hash"}
INTEGER_CHARS_MAX = 20


def read_json(text: str) -> Statement:
    """Read a statement. Its lines are checked when they are iterated. Raise MalformedError."""
    return statement_from(_parsed(text))


def statement_from(document: Any) -> Statement:
    """Return the statement in a parsed document. Raise MalformedError."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise MalformedError(f"it is not a Tollcast statement (its format must be {FORMAT})")
    _check_names(document, DOCUMENT_FIELDS, "the document")
    lines, user_id, more = document["lines"], document["user_id"], document["next_after_version"]
    if not isinstance(lines, list) or not isinstance(user_id, str) or type(document["created_at_ms"]) is not int:
        raise MalformedError("lines must be a list, user_id a text, created_at_ms a whole number")
    if len(lines) > LINES_MAX:
        raise MalformedError(f"it has more lines than a statement may have ({LINES_MAX:,})")
    closing = _state(document["closing"], "closing")
    if more is not None and (type(more) is not int or more != closing.version):
        raise MalformedError(f"next_after_version must be none or {closing.version}, and is {display(more)}")
    return Statement(user_id, _state(document["opening"], "opening"), _lines(lines), closing)


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_float=_integer, parse_int=_integer, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        raise MalformedError(f"it is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise MalformedError("it is not a statement: its JSON is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        duplicate = next(name for name in names if names.count(name) > 1)
        version = next((f" (version {display(value)})" for name, value in pairs if name == "version"), "")
        raise MalformedError(f"an object{version} has the key {display(duplicate)} twice")
    return found


def _integer(text: str) -> int:
    if len(text) > INTEGER_CHARS_MAX or not re.fullmatch(r"0|-?[1-9][0-9]*", text):
        raise MalformedError(f"{display(text)} is not a whole number")
    return int(text)


def _refuse(text: str) -> NoReturn:
    raise MalformedError(f"{text} is not allowed in a statement")


def _lines(lines: list[Any]) -> Iterator[Line]:
    for index, fields in enumerate(lines):
        place = f"line {index + 1} (index {index})"
        if not isinstance(fields, dict):
            raise MalformedError("it must be an object", place)
        _check_names(fields, set(LINE_FIELDS), place)
        yield Line(f"{place}, version {display(fields['version'])}", checked_line(fields, place))


def _state(fields: Any, name: str) -> State:
    if not isinstance(fields, dict):
        raise MalformedError(f"{name} must be an object")
    _check_names(fields, STATE_FIELDS, name)
    version, balance, digest = fields["version"], fields["balance_millipoints"], fields["hash"]
    if type(version) is not int or type(balance) is not int or not isinstance(digest, str):
        raise MalformedError(f"{name} must hold a version, a balance and a hash")
    return State(version, balance, digest)


def _check_names(fields: dict[str, Any], expected: set[str], where: str) -> None:
    missing, unknown = sorted(expected - fields.keys()), sorted(fields.keys() - expected)
    if missing:
        raise MalformedError(f"{', '.join(missing)} is missing", where)
    if unknown:
        raise MalformedError(f"{display(unknown[0])} is no field of a statement", where)
