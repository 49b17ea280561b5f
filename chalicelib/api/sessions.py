"""Routes for the sessions of all viewers, of the staff."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.common import ListAnswer
from chalicelib.api.models.playback import SessionAnswer, SessionsQuery
from chalicelib.domain.accounts.users import STAFF
from chalicelib.services.access.playback import LiveSession

routes = Routes("sessions")


@routes.add("GET", "/sessions", roles=STAFF, query=SessionsQuery)
def list_sessions(call: Call) -> ListAnswer[SessionAnswer]:
    """List who is watching and from where. Ended sessions need a stream or a user."""
    page = call.services.playback.listing(
        stream_id=call.query.stream_id,
        user_id=call.query.user_id,
        active=call.query.state == "active",
        limit=call.query.limit,
        cursor=call.query.cursor,
    )
    return ListAnswer(items=[_session(live) for live in page.items], next_cursor=page.next_cursor)


def _session(live: LiveSession) -> SessionAnswer:
    client = live.client
    values = {**vars(live.record), "active": live.record.active, "paid_until_ms": None}
    values |= {"ip": client.ip if client else None, "user_agent": client.user_agent if client else None}
    if live.session is not None:
        values["charged_millipoints"] = live.session.charged_millipoints
        values["paid_until_ms"] = live.session.paid_until_ms
    return SessionAnswer.model_validate(values)
