"""The audit log: how views write it, and how operators read it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.audit import AuditItem, AuditQuery
from chalicelib.api.models.common import ListAnswer
from chalicelib.domain.audit import Action, AuditEntry, difference, of_stream
from chalicelib.domain.streams import Stream
from chalicelib.domain.users import Role
from chalicelib.domain.wallets import Wallet
from chalicelib.observability import logger

routes = Routes("audit")
FAILURES = "audit_failures"


@routes.add("GET", "/audit", role=Role.ADMIN, query=AuditQuery, answer=ListAnswer[AuditItem])
def list_audit(call: Call) -> ListAnswer[AuditItem]:
    """What operators have done, newest first: to a user, by an operator, or all of it."""
    query = call.query
    page = call.services.audit.listing(
        user_id=query.user_id, by_user_id=query.by_user_id, limit=query.limit, cursor=query.cursor
    )
    return ListAnswer(items=[_item(entry) for entry in page.items], next_cursor=page.next_cursor)


def audited(call: Call, name: str, target: str, **values: Any) -> None:
    """Write down what was done, after it was.

    It has happened, so nothing that fails here may make it look as if it had not: the entry goes to the functions' log
    as an error, and is counted. Not so the address: who keeps that log may keep it for longer than addresses.
    """
    action = Action(name=name, target=target, **values)
    entry = call.services.audit.entry(action, by_user_id=call.user_id, ip=call.client.ip)
    try:
        call.services.audit.keep(entry)
    except Exception as error:
        call.services.counters.add(FAILURES)
        logger().error("an audit entry was not kept", entry=_item(replace(entry, ip=None)).model_dump(), why=str(error))


def audited_stream(
    call: Call, name: str, before: Stream | None, after: Stream, details: Mapping[str, Any] | None = None
) -> None:
    """The same for a stream, as it was and as it is."""
    old, new = difference(of_stream(before) if before else {}, of_stream(after))
    audited(call, name, after.stream_id, before=old if before else {}, after=new, details=details or {})


def audited_money(call: Call, name: str, target: str, before: Wallet | None, after: Wallet) -> None:
    """The same for a payment. A payment that is sent again leaves the balance as it was, which shows here."""
    body = call.body
    audited(
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
