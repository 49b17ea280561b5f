"""The audit log."""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.operations.audit import AuditEntry
from chalicelib.ports.common import ListPage


class AuditLog(Protocol):
    """Entries are added and never changed; they expire after `AUDIT_DAYS`. They contain no addresses."""

    def add(self, entry: AuditEntry) -> None:
        """Store an entry."""

    def newest(self, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        """Return all entries, newest first. A page may be short."""

    def of_user(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        """Return the actions on an account, newest first."""

    def newest_of_user(self, user_id: str, *, until_ms: int, limit: int) -> Sequence[AuditEntry]:
        """Return the actions on an account up to a time, newest first."""

    def by_operator(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[AuditEntry]:
        """Return an operator's actions, newest first."""
