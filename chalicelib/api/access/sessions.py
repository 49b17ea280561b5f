"""Routes for the sessions of all viewers, of the staff."""

from chalicelib.api.access.session_rows import session_answer, session_detail_answer
from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.common import ListAnswer, ListQuery
from chalicelib.api.models.playback import SessionAnswer, SessionDetailAnswer, SessionsQuery
from chalicelib.api.models.wallets import LedgerItem
from chalicelib.domain.accounts.users import STAFF
from chalicelib.domain.money.lists import SessionFilter

routes = Routes("sessions")


@routes.add("GET", "/sessions", roles=STAFF, query=SessionsQuery, etag=True)
def list_sessions(call: Call) -> ListAnswer[SessionAnswer]:
    """List sessions, newest first: who is watching and from where, or (`state=ended`) who has watched.

    Ended sessions of all streams and users are in the order of their ends, all others in the order of their starts.
    """
    query = call.query
    wanted = SessionFilter(
        active=query.state == "active",
        stream_id=query.stream_id,
        user_id=query.user_id,
        end_reason=query.end_reason,
        from_ms=query.from_ms,
        to_ms=query.to_ms,
    )
    page = call.services.playback.listing(wanted, limit=query.limit, cursor=query.cursor)
    return ListAnswer(items=[session_answer(row) for row in page.items], next_cursor=page.next_cursor)


@routes.add("GET", "/sessions/{session_id}", roles=STAFF, etag=True)
def one_session(call: Call, session_id: str) -> SessionDetailAnswer:
    """Return a session of any user, with its reconciliation and what an adjustment may give or take."""
    row = call.services.playback.row(session_id)
    return session_detail_answer(row, call.services.reconciliation.result_of(row.record))


@routes.add("GET", "/sessions/{session_id}/ledger", roles=STAFF, query=ListQuery)
def session_ledger(call: Call, session_id: str) -> ListAnswer[LedgerItem]:
    """List what a session of any user paid and got back, oldest first."""
    record = call.services.playback.record(session_id)
    return ListAnswer[LedgerItem].model_validate(call.services.statements.session_page(record, **dict(call.query)))
