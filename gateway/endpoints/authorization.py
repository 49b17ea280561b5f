"""The endpoints that authorize requests for media, and explain refusals."""

from http import HTTPStatus
from typing import Any

from chalicelib.domain.access.clients import Client
from chalicelib.domain.errors import DomainError, Unauthenticated
from chalicelib.domain.ids import SESSION_ID, STREAM_ID
from chalicelib.domain.money.errors import SessionOver
from chalicelib.observability import report_error
from chalicelib.ports.common import StoreUnavailable
from chalicelib.problems import problem, problem_of
from chalicelib.services.access.access import Decision
from gateway.endpoints.services import EndpointServices
from gateway.responses import Environ, Response

CACHE_S_MAX = 10
REFUSAL_CACHE_S = 1


def verdict(services: EndpointServices, environ: Environ) -> Response:
    """Return 200 with the stream, cacheable while the session is paid; 401 or 403 for a refusal; 503 on a failure.

    nginx refuses the request in every case but 200.
    """
    try:
        decision = _authorize(services, environ)
    except Exception as error:
        document = _problem(error)
        # nginx's auth_request passes on 401 and 403 only; /denial returns the real status.
        status = document["status"] if document["status"] in (401, 503) else 403
        expires = "0" if status == 503 else str(REFUSAL_CACHE_S)
        return Response(status, {"X-Tollcast-Reason": document["code"]}, expires)
    if not STREAM_ID.fullmatch(decision.stream_id):
        report_error("the access rule named a stream that is none", stream_id=repr(decision.stream_id))
        return Response(503, {"X-Tollcast-Reason": "unavailable"})
    headers = {
        "X-Tollcast-Stream": decision.stream_id,
        "X-Tollcast-User": decision.user_id,
        "X-Tollcast-Fetchable": str(decision.fetchable_ms),
    }
    return Response(200, headers, _accel_expires(decision.until_ms, services.now_ms()))


def _accel_expires(until_ms: int, now_ms: int) -> str:
    """Return the last whole second before `until_ms`: nginx caches a response to the end of the second it is given."""
    last_s = min(until_ms // 1000 - 1, now_ms // 1000 + CACHE_S_MAX)
    return f"@{last_s}" if last_s >= now_ms // 1000 else "0"


def denial(services: EndpointServices, environ: Environ) -> Response:
    """Return the problem document of a refusal."""
    try:
        decision = _authorize(services, environ)
        # The rule allows the request, so the denylist denied it: the denylist may be newer than the rule's data.
        reason = services.denial_reason(decision.session_id, decision.stream_id)
        document = problem_of(SessionOver(reason)) if reason else problem(503, "unavailable", "Try again.")
    except Exception as error:
        document = _problem(error)
    headers = {}
    if document["status"] == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if document["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    return Response(document["status"], headers, str(REFUSAL_CACHE_S), document)


def _authorize(services: EndpointServices, environ: Environ) -> Decision:
    session_id = environ.get("HTTP_X_TOLLCAST_SESSION", "")
    if not SESSION_ID.fullmatch(session_id):
        raise Unauthenticated("The address names no session.")
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    client = Client(ip=environ.get("HTTP_X_TOLLCAST_ADDRESS", ""), user_agent=environ.get("HTTP_X_TOLLCAST_AGENT", ""))
    bearer = token.strip() or None if scheme.lower() == "bearer" else None
    decision = services.authorize(bearer, session_id, client)
    if decision.session_id != session_id:
        raise Unauthenticated("This play token belongs to another session.")
    return decision


def _problem(error: Exception) -> dict[str, Any]:
    """Return the problem document of a refusal; any other error becomes a 503, so access stays refused."""
    if isinstance(error, DomainError):
        return problem_of(error)
    trace = None if isinstance(error, StoreUnavailable) else error
    report_error("cannot authorize a request", error=str(error), exc_info=trace)
    return problem(503, "unavailable", "The platform cannot check your access now. Try again in a moment.")
