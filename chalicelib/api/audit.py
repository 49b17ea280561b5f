"""The audit log: writing entries from views, and listing them for operators."""

from typing import Any

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.audit import AuditItem, AuditQuery
from chalicelib.api.models.common import ListAnswer
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.money.wallets import Wallet
from chalicelib.domain.operations.audit import Action, AuditEntry

routes = Routes("audit")


@routes.add("GET", "/audit", role=Role.ADMIN, query=AuditQuery, answer=ListAnswer[AuditItem])
def list_audit(call: Call) -> ListAnswer[AuditItem]:
    """List operators' actions, newest first: on one user, by one operator, or all."""
    query = call.query
    page = call.services.audit.listing(
        user_id=query.user_id, by_user_id=query.by_user_id, limit=query.limit, cursor=query.cursor
    )
    return ListAnswer(items=[_item(entry) for entry in page.items], next_cursor=page.next_cursor)


def record(call: Call, name: str, target: str, **values: Any) -> None:
    """Write an audit entry of the caller's action."""
    call.services.audit.record(call.actor, Action(name=name, target=target, **values))


def record_payment(call: Call, name: str, target: str, before: Wallet | None, after: Wallet) -> None:
    """Write an audit entry of a payment. A repeated payment leaves the balance as it was, which shows here."""
    body = call.body
    record(
        call,
        name,
        target,
        user_id=after.user_id,
        before={"balance_millipoints": before.balance_millipoints} if before else {},
        after={"balance_millipoints": after.balance_millipoints},
        details={"millipoints": body.millipoints, "payment_id": body.payment_id, "note": body.note},
    )


def _item(entry: AuditEntry) -> AuditItem:
    action = {**vars(entry.action), "action": entry.action.name}
    return AuditItem.model_validate({**action, **{k: v for k, v in vars(entry).items() if k != "action"}})
