"""The audit log."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from chalicelib.api.models.common import Answer, ListQuery
from chalicelib.api.models.forms import ActorId, UserId


class AuditQuery(ListQuery):
    """Filter of the audit log: actions on one user, or by one operator or service key (`key:<id>`); else all."""

    user_id: UserId | None = None
    by_user_id: ActorId | None = None

    @model_validator(mode="after")
    def _one_at_most(self) -> AuditQuery:
        if self.user_id is not None and self.by_user_id is not None:
            raise ValueError("give user_id or by_user_id, not both")
        return self


class AuditItem(Answer):
    """An action of an operator or a service key (`key:<id>`), with target, address and changes.

    Addresses become null after some weeks. The emails are those of today, null for keys and erased accounts.
    """

    audit_id: str
    at_ms: int
    by_user_id: str
    by_email: str | None
    ip: str | None
    action: str
    target: str
    user_id: str | None
    user_email: str | None
    before: dict[str, Any]
    after: dict[str, Any]
    details: dict[str, Any]
