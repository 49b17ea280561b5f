"""The places of existing rows in the lists: what the code writes today, in rows that earlier code wrote.

Each row is written on its own and only if it is as it was read, so several runs at once and a running stage do no harm.
Rows that have their place are read and not written, so a run that was interrupted goes on where it stopped.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from chalicelib.adapters.dynamodb import call, from_row, write_if
from chalicelib.adapters.list_keys import account_keys, active_keys, ended_keys, payment_keys
from chalicelib.config import Settings
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.wallets import OPERATOR_SOURCE

ROWS_PER_PAGE = 200
# Parts of a table that are filled at the same time.
SEGMENTS = 4
Row = dict[str, Any]


class Listed(NamedTuple):
    """A table whose rows have a place: what is read, the place of a row, and what must not change meanwhile."""

    key: str
    attributes: tuple[str, ...]
    place_of: Callable[[Row], Mapping[str, str]]
    unchanged: tuple[str, ...]


def _of_account(row: Row) -> Mapping[str, str]:
    if "email" not in row:
        return {}  # An email's own row, or an erased account.
    return account_keys(row["email"], Role(row["role"]), disabled=row["disabled"])


def _of_session(row: Row) -> Mapping[str, str]:
    if "end_reason" in row:
        return ended_keys(row["session_id"], EndReason(row["end_reason"]), row["ended_at_ms"])
    return active_keys(row["session_id"], row.get("due_shard", 0), row["started_at_ms"])


def _of_payment(row: Row) -> Mapping[str, str]:
    # Payments from before this field came from operators.
    source = row.get("source", OPERATOR_SOURCE)
    return {"source": source, **payment_keys(row["payment_id"], row["at_ms"])}


TABLES = {
    "users": Listed(
        key="user_id",
        attributes=("email", "role", "disabled", "list_key", "email_key"),
        place_of=_of_account,
        unchanged=("role", "disabled"),
    ),
    "playback_sessions": Listed(
        key="session_id",
        attributes=("end_reason", "ended_at_ms", "due_shard", "started_at_ms", "list_key", "list_order"),
        place_of=_of_session,
        unchanged=("end_reason",),
    ),
    "payments": Listed(
        key="payment_id",
        attributes=("at_ms", "source", "list_key", "list_order", "reference_key"),
        place_of=_of_payment,
        unchanged=("at_ms",),
    ),
}


def fill(settings: Settings) -> Mapping[str, int]:
    """Write the place of each row that lacks it or has an outdated one. Return how many were written, by table."""
    written = dict.fromkeys(TABLES, 0)
    for name, listed in TABLES.items():
        if not call("scan", settings.table_prefix + name, Limit=1)["Items"]:
            continue  # A new stage.
        with ThreadPoolExecutor(SEGMENTS) as threads:
            fill_segment = partial(_fill_segment, settings.table_prefix + name, listed)
            written[name] = sum(threads.map(fill_segment, range(SEGMENTS)))
    return written


def _fill_segment(table: str, listed: Listed, segment: int) -> int:
    return sum(_write(table, listed, row) for row in _rows(table, listed, segment))


def _rows(table: str, listed: Listed, segment: int) -> Iterator[Row]:
    names = {f"#{name}": name for name in (listed.key, *listed.attributes)}
    position: dict[str, Any] = {}
    while True:
        answer = call(
            "scan",
            table,
            names=names,
            ProjectionExpression=", ".join(names),
            ConsistentRead=True,
            Limit=ROWS_PER_PAGE,
            Segment=segment,
            TotalSegments=SEGMENTS,
            **position,
        )
        yield from map(from_row, answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        position = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _write(table: str, listed: Listed, row: Row) -> bool:
    """Write a row's place unless it is right. A row that changed meanwhile is left to the code that changed it."""
    missing = {name: value for name, value in listed.place_of(row).items() if row.get(name) != value}
    if not missing:
        return False
    seen = {name: row[name] for name in listed.unchanged if name in row}
    conditions = [f"#{name} = :seen_{name}" for name in seen]
    conditions += [f"attribute_not_exists(#{name})" for name in listed.unchanged if name not in row]
    return write_if(
        "update_item",
        table,
        key={listed.key: row[listed.key]},
        update="SET " + ", ".join(f"#{name} = :{name}" for name in missing),
        condition=" AND ".join([f"attribute_exists({listed.key})", *conditions]),
        names={f"#{name}": name for name in {**missing, **dict.fromkeys(listed.unchanged)}},
        values={f":{name}": value for name, value in missing.items()}
        | {f":seen_{name}": value for name, value in seen.items()},
    )
