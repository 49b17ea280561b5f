"""The port `AuditLog` in memory."""

from collections.abc import Callable

from chalicelib.domain.operations.audit import AuditEntry
from chalicelib.ports.common import ListPage
from tests.fakes.simple import page_of


class MemoryAuditLog:
    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    def add(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    def newest(self, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        return self._page(lambda _: True, limit, cursor)

    def of_user(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        return self._page(lambda entry: entry.action.user_id == user_id, limit, cursor)

    def newest_of_user(self, user_id: str, *, until_ms: int, limit: int) -> list[AuditEntry]:
        found = [each for each in self.entries if each.action.user_id == user_id and each.at_ms <= until_ms]
        return sorted(found, key=lambda entry: entry.audit_id, reverse=True)[:limit]

    def by_operator(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        return self._page(lambda entry: entry.by_user_id == user_id, limit, cursor)

    def _page(self, wanted: Callable[[AuditEntry], bool], limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        newest = sorted(filter(wanted, self.entries), key=lambda entry: entry.audit_id, reverse=True)
        return page_of(newest, limit, cursor)
