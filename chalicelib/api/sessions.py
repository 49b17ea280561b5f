"""Routes for the sessions of all viewers, of the staff."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.common import ListAnswer
from chalicelib.api.models.playback import SessionAnswer, SessionsQuery
from chalicelib.domain.accounts.users import STAFF
from chalicelib.domain.money.lists import SessionFilter
from chalicelib.services.access.playback import LiveSession

routes = Routes("sessions")


@routes.add("GET", "/sessions", roles=STAFF, query=SessionsQuery)
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
    return ListAnswer(items=[_session(live) for live in page.items], next_cursor=page.next_cursor)


def _session(live: LiveSession) -> SessionAnswer:
    client = live.client
    values = {**vars(live.record), "active": live.record.active, "paid_until_ms": None}
    values |= {"ip": client.ip if client else None, "user_agent": client.user_agent if client else None}
    if live.session is not None:
        values["charged_millipoints"] = live.session.charged_millipoints
        values["paid_until_ms"] = live.session.paid_until_ms
    return SessionAnswer.model_validate(values)
