"""The check of a saved statement: each line must continue the previous one by version, balance and hash."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from player.statement.chain import genesis, line_hash
from player.statement.csv_format import readable_times
from player.statement.statement import Line, MalformedError, State, Statement, display


class MismatchError(Exception):
    """The first mismatch in a statement: the place, the field, and both values."""

    def __init__(self, place: str, field: str, expected: object, found: object, note: str = "") -> None:
        note = note and f" {note}"
        super().__init__(
            f"{place}: {field} does not fit.{note}\n  expected: {display(expected)}\n  found:    {display(found)}"
        )


@dataclass(frozen=True)
class Verification:
    """What was verified. The times are None if the statement has no lines."""

    opening: State
    end: State
    lines: int
    first_at_ms: int | None
    last_at_ms: int | None


def verify(statement: Statement) -> Verification:
    """Verify a statement from its opening to its end. Raise MismatchError and MalformedError."""
    state = opening = _verified_opening(statement)
    lines, first_at_ms, last_at_ms = 0, None, None
    for line, following in _with_following(statement.lines):
        state = _next_state(state, line, following, statement.closing)
        lines, last_at_ms = lines + 1, line.fields["at_ms"]
        first_at_ms = last_at_ms if first_at_ms is None else first_at_ms
    if statement.closing is not None:
        for field in ("version", "balance_millipoints", "hash"):
            expected, found = getattr(state, field), getattr(statement.closing, field)
            if expected != found:
                raise MismatchError("closing", field, expected, found)
    return Verification(opening, state, lines, first_at_ms, last_at_ms)


def _verified_opening(statement: Statement) -> State:
    opening = statement.opening
    if opening.version < 0 or opening.balance_millipoints < 0:
        field = "version" if opening.version < 0 else "balance_millipoints"
        raise MismatchError("opening", field, "0 or more", getattr(opening, field))
    if opening.version == 0:
        if opening.balance_millipoints:
            raise MismatchError("opening", "balance_millipoints", 0, opening.balance_millipoints)
        start = genesis(statement.user_id)
        if opening.hash != start:
            raise MismatchError("opening", "hash", start, opening.hash, "It is made from the user id.")
    return opening


def _with_following(lines: Iterator[Line]) -> Iterator[tuple[Line, Line | None]]:
    """Yield each line with the next one. A malformed next line raises only after this one was yielded."""
    line = next(lines, None)
    while line is not None:
        error_ahead: MalformedError | None = None
        following: Line | None = None
        try:
            following = next(lines, None)
        except MalformedError as error:
            error_ahead = error
        yield line, following
        if error_ahead is not None:
            raise error_ahead
        line = following


def _next_state(previous: State, line: Line, following: Line | None, closing: State | None) -> State:
    """Return the state after a line. Raise MismatchError."""
    fields, version = line.fields, previous.version + 1
    computed = line_hash(previous.hash, fields)
    balance = previous.balance_millipoints + fields["delta_millipoints"]
    if fields["version"] != version:
        raise MismatchError(line.place, "version", version, fields["version"], _version_note(previous, line))
    if computed != fields["hash"]:
        if _is_continued(computed, following, closing):
            raise MismatchError(line.place, "hash", computed, fields["hash"])
        raise _contents_mismatch(previous, line, computed)
    if line.at is not None and line.at not in readable_times(fields["at_ms"]):
        raise MismatchError(line.place, "at", readable_times(fields["at_ms"])[0], line.at)
    if balance != fields["balance_millipoints"]:
        raise MismatchError(line.place, "balance_millipoints", balance, fields["balance_millipoints"])
    if balance < 0:
        raise MismatchError(line.place, "balance_millipoints", "0 or more", balance)
    return State(version, balance, computed)


def _is_continued(hash_of_line: str, following: Line | None, closing: State | None) -> bool:
    """Return whether the next line or the closing contains this hash."""
    if following is not None:
        return bool(line_hash(hash_of_line, following.fields) == following.fields["hash"])
    return closing is not None and closing.hash == hash_of_line


def _version_note(previous: State, line: Line) -> str:
    expected, fields = previous.version + 1, line.fields
    if line_hash(previous.hash, {**fields, "version": expected}) == fields["hash"]:
        return ""
    return "A line is missing or moved here." if fields["version"] > expected else "A line is repeated or moved here."


def _contents_mismatch(previous: State, line: Line, computed: str) -> MismatchError:
    """Return an error that names the changed field, if another field of the line reveals its old value."""
    fields = line.fields
    candidates = {
        "delta_millipoints": fields["balance_millipoints"] - previous.balance_millipoints,
        "at_ms": _ms_of(line.at or ""),
    }
    for field, value in candidates.items():
        if line_hash(previous.hash, {**fields, field: value}) == fields["hash"]:
            return MismatchError(line.place, field, value, fields[field])
    note = "It belongs to other contents: a field of this line was changed, or the line is of another ledger."
    return MismatchError(line.place, "hash", computed, fields["hash"], note)


def _ms_of(at: str) -> int | None:
    try:
        return (datetime.fromisoformat(at) - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
    except (ValueError, TypeError, OverflowError):
        return None
