"""Route for the audit log."""

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
    return ListAnswer(items=[_item(entry) for entry in page.items], next_cursor=page.next_cursor)


def _item(entry: AuditEntry) -> AuditItem:
    action = {**vars(entry.action), "action": entry.action.name}
    return AuditItem.model_validate({**action, **{k: v for k, v in vars(entry).items() if k != "action"}})
