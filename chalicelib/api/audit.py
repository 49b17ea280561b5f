"""The audit log: writing entries from views, and listing them for operators."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.audit import AuditItem, AuditQuery
from chalicelib.api.models.common import ListAnswer
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.errors import Busy
from chalicelib.domain.money.wallets import Wallet
from chalicelib.domain.operations.audit import Action, AuditEntry, difference, stream_values
from chalicelib.domain.streams.stream import Stream
from chalicelib.observability import logger
from chalicelib.ports import StoreUnavailable

routes = Routes("audit")
FAILURES = "audit_failures"
# Details of an action that failed after its first steps.
UNFINISHED: Mapping[str, Any] = {"finished": False}


@routes.add("GET", "/audit", role=Role.ADMIN, query=AuditQuery, answer=ListAnswer[AuditItem])
def list_audit(call: Call) -> ListAnswer[AuditItem]:
    """List operators' actions, newest first: on one user, by one operator, or all."""
    query = call.query
    page = call.services.audit.listing(
        user_id=query.user_id, by_user_id=query.by_user_id, limit=query.limit, cursor=query.cursor
    )
    return ListAnswer(items=[_item(entry) for entry in page.items], next_cursor=page.next_cursor)


def audited(call: Call, name: str, target: str, **values: Any) -> None:
    """Write an audit entry after the action.

    The action is done, so a failure here must not fail the request: the entry goes to the functions' log as an error
    and is counted. The address is left out, since logs may be kept longer than addresses.
    """
    write_down(call, Action(name=name, target=target, **values))


def write_down(call: Call, action: Action) -> None:
    """Write an audit entry of an action, as `audited` does."""
    entry = call.services.audit.entry(action, by_user_id=call.user_id, ip=call.client.ip)
    try:
        call.services.audit.write(entry)
    except Exception as error:
        call.services.counters.add(FAILURES)
        logger().error(
            "an audit entry was not stored", entry=_item(replace(entry, ip=None)).model_dump(), why=str(error)
        )


@contextmanager
def also_unfinished(call: Call, look: Callable[[], Action | None]) -> Iterator[None]:
    """Audit an action of several steps even if it fails between them.

    A retry finds the first steps done, so its own entry would not contain them. `look` returns what has changed so far,
    or None.
    """
    try:
        yield
    except (Busy, StoreUnavailable):
        try:
            action = look()
        except Exception as error:
            call.services.counters.add(FAILURES)
            logger().error("an action failed halfway, and its changes cannot be read", why=str(error))
        else:
            if action is not None:
                write_down(call, replace(action, details={**action.details, **UNFINISHED}))
        raise


def unfinished_stream(call: Call, name: str, before: Stream) -> Callable[[], Action | None]:
    """Return the `look` of `also_unfinished` for a stream."""

    def look() -> Action | None:
        after = call.services.stream_table.get(before.stream_id)
        return None if after is None or after.version == before.version else _of_stream(name, before, after, {})

    return look


def audited_stream(
    call: Call, name: str, before: Stream | None, after: Stream, details: Mapping[str, Any] | None = None
) -> None:
    """Write an audit entry with a stream before and after."""
    write_down(call, _of_stream(name, before, after, details or {}))


def _of_stream(name: str, before: Stream | None, after: Stream, details: Mapping[str, Any]) -> Action:
    old, new = difference(stream_values(before) if before else {}, stream_values(after))
    return Action(name=name, target=after.stream_id, before=old if before else {}, after=new, details=details)


def audited_money(call: Call, name: str, target: str, before: Wallet | None, after: Wallet) -> None:
    """Write an audit entry of a payment. A repeated payment leaves the balance as it was, which shows here."""
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
