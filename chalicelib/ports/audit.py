"""The log of what operators have done."""

from typing import Protocol

from chalicelib.domain.operations.audit import AuditEntry
from chalicelib.ports.common import ListPage


class AuditLog(Protocol):
    """Entries are added and never changed; they expire after `AUDIT_DAYS`. Addresses are no part of them."""

    def add(self, entry: AuditEntry) -> None:
        """Keep an entry."""
        ...

    def newest(self, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        """All entries, newest first; a page may be short."""
        ...

    def of_user(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        """What was done to an account, newest first."""
        ...

    def by_operator(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        """What an operator has done, newest first."""
        ...
