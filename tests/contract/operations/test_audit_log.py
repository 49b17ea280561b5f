"""The port `AuditLog`: the fake and DynamoDB keep the same promises."""

from datetime import UTC, datetime

import pytest

from chalicelib.adapters.dynamodb import to_cursor
from chalicelib.adapters.operations.dynamodb_audit import DynamoAuditLog
from chalicelib.domain.errors import Invalid
from chalicelib.domain.operations.audit import Action, AuditEntry, audit_id_of
from chalicelib.ports.common import all_items
from chalicelib.ports.operations.audit import AuditLog

# Over the turn of a year, with a month in which nothing was done.
DAYS = ("2026-11-05", "2026-11-06", "2027-01-01", "2027-01-02", "2027-01-03")
AT_MS = [int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000) for day in DAYS]
NOW_MS = AT_MS[-1] + 1_000


log = pytest.fixture(lambda stores: stores.audit_log)


def test_entries_are_listed_newest_first_over_all_months_by_account_and_by_operator(log: AuditLog) -> None:
    entries = [
        AuditEntry(
            audit_id=audit_id_of(at_ms, f"r{number}"),
            at_ms=at_ms,
            by_user_id=f"u_operator{number % 2}",
            action=Action(
                name="user.edit",
                target="u_x",
                user_id=f"u_{number}" if number else None,
                before={"role": "viewer", "sources": [{"mode": "file"}]},
                after={"role": "admin", "slate": True},
                details={"millipoints": -5},
            ),
        )
        for number, at_ms in enumerate(AT_MS)
    ]
    for entry in entries:
        log.add(entry)
    newest = entries[::-1]
    for limit in (1, 2, 5, 50):
        assert len(log.newest(NOW_MS, limit=limit, cursor=None).items) <= limit
        assert [*all_items(log.newest, NOW_MS, limit=limit)] == newest
    assert log.of_user("u_2", limit=5, cursor=None).items == [entries[2]]
    first = log.by_operator("u_operator0", limit=2, cursor=None)
    assert first.items == [entries[4], entries[2]]
    assert log.by_operator("u_operator0", limit=2, cursor=first.next_cursor).items == [entries[0]]
    assert log.of_user("u_nobody", limit=5, cursor=None).items == []


def test_cursors_of_other_lists_are_refused() -> None:
    log = DynamoAuditLog("no table is asked for these-")
    for position in ({}, [], ["2027-01"], ["2027-13", None], [1, None], ["x", None], ["2027-01", 1]):
        with pytest.raises(Invalid):
            log.newest(NOW_MS, limit=1, cursor=to_cursor(position))
