"""The audit log in DynamoDB: a row for each action, by month, so that listing the newest needs no scan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from chalicelib.adapters.dynamodb import all_rows, call, from_cursor, from_row, known, page_of, parameters, to_cursor
from chalicelib.domain.errors import WrongCursor
from chalicelib.domain.operations.audit import AUDIT_DAYS, Action, AuditEntry, audit_id_of, month_before, month_of
from chalicelib.ports.common import ListPage

S_PER_DAY = 86_400
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


class DynamoAuditLog:
    """The port `AuditLog` over the table `audit`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "audit"

    def add(self, entry: AuditEntry) -> None:
        action = entry.action
        item = {
            **vars(entry),
            "ip": None,
            "month": month_of(entry.at_ms),
            "expires_at_s": entry.at_ms // 1000 + AUDIT_DAYS * S_PER_DAY,
            "action": action.name,
            **{name: getattr(action, name) for name in ("target", "user_id")},
            **{name: _without_none(getattr(action, name)) for name in ("before", "after", "details")},
        }
        call("put_item", self._table, item=item)

    def newest(self, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        """Query month by month, as long as rows are kept. The cursor is the month and the store's position in it."""
        month, inner = _position(cursor) or (month_of(now_ms), None)
        oldest = month_of(now_ms - AUDIT_DAYS * S_PER_DAY * 1000)
        items: list[AuditEntry] = []
        while oldest <= month and len(items) < limit:
            page = self._query("month", month, limit - len(items), inner, index=None)
            items += page.items
            inner = page.next_cursor
            if inner is None:
                month = month_before(month)
        return ListPage(items=items, next_cursor=to_cursor([month, inner]) if oldest <= month else None)

    def of_user(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        return self._query("user_id", user_id, limit, cursor, index="by_user")

    def newest_of_user(self, user_id: str, *, until_ms: int, limit: int) -> Sequence[AuditEntry]:
        request = parameters(
            self._table,
            IndexName="by_user",
            KeyConditionExpression="user_id = :user AND audit_id < :after",
            # The ids of a millisecond are after its number.
            values={":user": user_id, ":after": audit_id_of(until_ms + 1, "")},
            ScanIndexForward=False,
            Limit=limit,
        )
        return [_entry(from_row(row)) for row in all_rows("query", request, limit)]

    def by_operator(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        return self._query("by_user_id", user_id, limit, cursor, index="by_operator")

    def _query(
        self, key: str, value: str, limit: int, cursor: str | None, *, index: str | None
    ) -> ListPage[AuditEntry]:
        request = parameters(
            self._table,
            KeyConditionExpression="#key = :key",
            names={"#key": key},
            values={":key": value},
            ScanIndexForward=False,
            Limit=limit,
            IndexName=index,
        )
        position = list(dict.fromkeys((key, "month", "audit_id")))
        return page_of("query", request, cursor, _entry, position=position, within={key: value})


def _position(cursor: str | None) -> tuple[str, str | None] | None:
    if cursor is None:
        return None
    match from_cursor(cursor):
        case [str(month), None | str() as inner] if _MONTH.fullmatch(month):
            return month, inner
    raise WrongCursor


def _without_none(values: Any) -> dict[str, Any]:
    """Replace None, which rows cannot hold. In the log it means that a value was not set."""
    return {name: _known(value) for name, value in values.items()}


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_known(part) for part in value]
    return "none" if value is None else value


def _entry(row: dict[str, Any]) -> AuditEntry:
    return AuditEntry(**{**known(AuditEntry, row), "action": Action(**known(Action, row), name=row["action"])})
