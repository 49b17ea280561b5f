"""Routes for the sessions of all viewers, of the staff."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.common import ListAnswer
from chalicelib.api.models.playback import SessionAnswer, SessionsQuery
from chalicelib.api.session_rows import session_answer
from chalicelib.domain.accounts.users import STAFF

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
    return ListAnswer(items=[session_answer(row) for row in page.items], next_cursor=page.next_cursor)
