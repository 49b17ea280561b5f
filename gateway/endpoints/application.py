"""The WSGI application that nginx asks before it serves or accepts media. It listens on a private unix socket.

`GET /verdict`  May this token watch this session? 200 with the stream, or 401, 403 or 503.
`GET /denial`   Why not? The problem document, with its real status.
`GET /sign`     The signed query of one object of the media bucket.
`POST /ingest`  May this client send or play this stream by RTMP? See `gateway/ingest/access.py`.

nginx caches each response for as long as `X-Accel-Expires` allows. Gunicorn's sync workers run
`gateway.endpoints.application:load()`.
"""

import json
import time
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus

from chalicelib.domain.ids import SESSION_ID
from chalicelib.observability import request_log
from chalicelib.problems import PROBLEM_JSON
from gateway.endpoints.authorization import denial, verdict
from gateway.endpoints.services import EndpointServices
from gateway.endpoints.signing import sign
from gateway.ingest.access import ingest
from gateway.responses import Environ, Response, StartResponse, Wsgi


def load() -> Wsgi:
    """Return the endpoints of this platform, with the product's own services."""
    from chalicelib import bootstrap
    from chalicelib.adapters.access.file_denylist import FileDenylist
    from chalicelib.adapters.aws import client

    container = bootstrap.container()
    directory = container.settings.denylist_dir
    if directory is None:
        raise RuntimeError("TOLLCAST_DENYLIST_DIR is not set. Set it: without it the gateway cannot see denials.")
    for service in ("dynamodb", "s3"):
        client(service)  # A client takes half a second to create, which the first viewer should not wait for.
    denylist = FileDenylist(directory)
    denylist.prepare()
    return application(
        EndpointServices(
            authorize=container.access.authorize,
            signed_query=container.stores.media.signed_query,
            denial_reason=denylist.reason,
            find_stream=container.stores.streams.get,
            now_ms=lambda: time.time_ns() // 1_000_000,
        )
    )


def application(services: EndpointServices) -> Wsgi:
    """Return the endpoints as a WSGI application."""
    endpoints: dict[str, Callable[[Environ], Response]] = {
        "/verdict": partial(verdict, services),
        "/denial": partial(denial, services),
        "/sign": partial(sign, services),
        "/ingest": partial(ingest, services.find_stream),
    }

    def wsgi(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        endpoint = endpoints.get(environ.get("PATH_INFO", ""))
        with request_log(**_logged(environ)):
            response = endpoint(environ) if endpoint else Response(404, {})
        body = json.dumps(response.document).encode() if response.document else b""
        headers = {
            "Content-Length": str(len(body)),
            "X-Accel-Expires": response.accel_expires,
            **response.headers,
        }
        if response.document:
            headers["Content-Type"] = PROBLEM_JSON
        start_response(f"{response.status} {HTTPStatus(response.status).phrase}", list(headers.items()))
        return [body]

    return wsgi


def _logged(environ: Environ) -> dict[str, str]:
    """Return what each line of a request's log has. nginx has checked the request's id, and clients choose the rest."""
    values = {"part": "endpoints", "request_id": environ.get("HTTP_X_REQUEST_ID", "")}
    session_id = environ.get("HTTP_X_TOLLCAST_SESSION", "")
    if SESSION_ID.fullmatch(session_id):
        values["session_id"] = session_id
    return values
