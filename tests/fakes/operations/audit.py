"""The port `AuditLog` in memory."""

from collections.abc import Callable

from chalicelib.adapters.dynamodb import from_cursor, to_cursor
from chalicelib.domain.operations.audit import AuditEntry
from chalicelib.ports.clients import Clients
from chalicelib.ports.common import ListPage
from chalicelib.services.operations.audit import Audit
from tests.fakes.access.clients import MemoryClients
from tests.fakes.simple import MemoryCounters, SetClock


class MemoryAuditLog:
    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    def add(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    def newest(self, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        return self._page(lambda _: True, limit, cursor)

    def of_user(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        return self._page(lambda entry: entry.action.user_id == user_id, limit, cursor)

    def by_operator(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        return self._page(lambda entry: entry.by_user_id == user_id, limit, cursor)

    def _page(self, wanted: Callable[[AuditEntry], bool], limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        found = sorted(filter(wanted, self.entries), key=lambda entry: entry.audit_id, reverse=True)
        if cursor is not None:
            found = [entry for entry in found if entry.audit_id < from_cursor(cursor)]
        more = len(found) > limit
        return ListPage(items=found[:limit], next_cursor=to_cursor(found[limit - 1].audit_id) if more else None)


def audit_of(log: MemoryAuditLog, clients: Clients | None = None) -> Audit:
    """The service over a log in memory."""
    return Audit(log=log, clients=clients or MemoryClients(), counters=MemoryCounters(), clock=SetClock(), report=print)
