"""Route for the audit log."""

from collections.abc import Mapping

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.audit import AuditItem, AuditQuery
from chalicelib.api.models.common import ListAnswer
from chalicelib.domain.accounts.users import ADMINS
from chalicelib.domain.operations.audit import AuditEntry

routes = Routes("audit")


@routes.add("GET", "/audit", roles=ADMINS, query=AuditQuery)
def list_audit(call: Call) -> ListAnswer[AuditItem]:
    """List operators' actions, newest first: on one user, by one operator, or all."""
    page = call.services.audit.listing(**dict(call.query))
    ids = {each for entry in page.items for each in (entry.by_user_id, entry.action.user_id) if each}
    emails = call.services.accounts.emails(ids)
    return ListAnswer(items=[_item(entry, emails) for entry in page.items], next_cursor=page.next_cursor)


def _item(entry: AuditEntry, emails: Mapping[str, str]) -> AuditItem:
    names = {"by_email": emails.get(entry.by_user_id), "user_email": emails.get(entry.action.user_id or "")}
    action = {**vars(entry.action), "action": entry.action.name}
    return AuditItem.model_validate({**action, **names, **{k: v for k, v in vars(entry).items() if k != "action"}})
