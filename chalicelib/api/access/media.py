"""Playlists through API Gateway, behind its authorizer. With nginx, the gateway serves these paths itself."""

import re
from typing import Any

from chalice.app import AuthResponse, Chalice, Response

from chalicelib.api.answers import as_response, make_response, problem_response
from chalicelib.api.checks import bearer
from chalicelib.bootstrap import container
from chalicelib.domain.errors import Unauthenticated
from chalicelib.domain.streams.media_keys import media_key
from chalicelib.problems import problem, problem_of

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
# How long the gateway caches an allowing decision, and so how long a kick takes there.
DECISION_TTL_S = 1
# `arn:aws:execute-api:<region>:<account>:<api>/<stage>/GET<path>`, with the same path forms as in
# gateway/nginx/nginx.conf.template and gateway/edge/viewer_request.js.
MEDIA_ARN = re.compile(
    r"arn:[^/]+/[^/]+/GET"
    r"/play/(?P<session>[a-z2-7]{26})/(?:(?:[a-z0-9]{1,32}/)?index\.m3u8|[a-z0-9]{1,32}/[a-z0-9-]{1,64}\.ts)"
)
RENDITION = re.compile(r"[a-z0-9]{1,32}")


def authorize(request: Any) -> AuthResponse:
    """Decide on a play token for the session in the path.

    An authorizer can only return 401 and 403, so the reason goes through its context into the body. It receives a token
    and a media address, and neither the client's address nor its user agent.
    """
    try:
        asked = MEDIA_ARN.fullmatch(request.method_arn)
        if asked is None:
            raise Unauthenticated("This address is not media of a session.")
        decision = container().access.authorize(bearer(request.token), asked["session"], None)
    except Exception as error:
        document = problem_of(error)
        context: dict[str, str] = {
            name: document[name] for name in ("code", "detail", "end_reason") if name in document
        }
        return AuthResponse(routes=[], principal_id="nobody", context=context)
    # The policy covers this session's paths only: it is cached by token alone.
    return AuthResponse(
        routes=[f"/play/{decision.session_id}/*"],
        principal_id=decision.user_id,
        context={"stream_id": decision.stream_id},
    )


def register(app: Chalice, authorizer: Any) -> None:
    """Add the playlist routes to the app, behind its authorizer."""

    @app.route("/play/{session_id}/index.m3u8", authorizer=authorizer, content_types=[])
    def play_index(session_id: str) -> Response:
        return _playlist(app.current_request, "index.m3u8")

    @app.route("/play/{session_id}/{rendition}/index.m3u8", authorizer=authorizer, content_types=[])
    def play_rendition(session_id: str, rendition: str) -> Response:
        path = f"{rendition}/index.m3u8" if RENDITION.fullmatch(rendition) else ""
        return _playlist(app.current_request, path)


def _playlist(request: Any, path: str) -> Response:
    stream_id = request.context.get("authorizer", {}).get("stream_id")
    if not stream_id:
        return as_response(problem(403, "forbidden", "The authorizer returned no stream."))
    try:
        found = container().stores.media.get(media_key(stream_id, path)) if path else None
    except Exception as error:
        return problem_response(error, request.path)
    if found is None:
        return as_response(problem(404, "not_found", "There is no such playlist."))
    return make_response(found.body.decode(), PLAYLIST_TYPE)
