"""Statements as JSON or CSV; for the format see docs/billing.md."""

import csv
from datetime import UTC, datetime
from io import StringIO

from chalice.app import Response

from chalicelib.api.answers import make_response
from chalicelib.api.endpoint import Call
from chalicelib.api.models.wallets import StatementAnswer, StatementLine
from chalicelib.services.money.statements import Statement

CSV_TYPE = "text/csv; charset=utf-8"
# `player/statement/csv_format.py` reads them.
COLUMNS = (
    "version",
    "at",
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


def statement_response(call: Call, user_id: str) -> StatementAnswer | Response:
    """Return a user's statement in the format of the query, a `StatementQuery`. Raise `UserNotFound`."""
    statement = call.services.statements.statement(user_id, call.query.after_version)
    if call.query.format == "json":
        return statement_answer(statement)
    return make_response(statement_csv(statement), CSV_TYPE)


def statement_answer(statement: Statement) -> StatementAnswer:
    """Return a statement as its wire model."""
    return StatementAnswer(
        format="tollcast-statement-1",
        user_id=statement.user_id,
        created_at_ms=statement.created_at_ms,
        opening=statement.opening,
        lines=[
            StatementLine.model_validate(
                {**vars(entry), "balance_millipoints": state.balance_millipoints, "hash": state.hash}
            )
            for entry, state in statement.lines
        ],
        closing=statement.closing,
        next_after_version=statement.closing.version if statement.more else None,
    )


def statement_csv(statement: Statement) -> str:
    """Return a statement as CSV (RFC 4180). The first row is the state before the first line."""
    text = StringIO()
    table = csv.DictWriter(text, COLUMNS, restval="", extrasaction="ignore")
    table.writeheader()
    opening = {"entry_id": statement.user_id, "kind": "opening", "delta_millipoints": 0, **vars(statement.opening)}
    table.writerow({**opening, "at": _iso(statement.created_at_ms), "at_ms": statement.created_at_ms})
    for entry, state in statement.lines:
        table.writerow({**vars(entry), "kind": entry.kind.value, "at": _iso(entry.at_ms), **vars(state)})
    return text.getvalue()


def _iso(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
