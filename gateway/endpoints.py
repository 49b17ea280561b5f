"""What nginx asks before it serves or takes media: a WSGI application on a unix socket that nothing else reaches.

`GET /verdict`  may this token watch this session? 200 with `X-Tollcast-Stream` and `-User`, else 401, 403 or 503
`GET /denial`   why not: the problem document with its real status
`GET /sign`     the signed query of a GET of one object of the media bucket
`POST /ingest`  may this sender send the stream that it names? (gateway/ingest_access.py)

nginx keeps answers for as long as `X-Accel-Expires` says. Run by gunicorn sync workers: `gateway.endpoints:load()`.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from chalicelib.api.problems import PROBLEM_JSON, problem, problem_of
from chalicelib.domain.access.clients import Client
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import DomainError, SessionOver, Unauthenticated
from chalicelib.domain.ids import SESSION_ID, STREAM_ID
from chalicelib.domain.streams.stream import Stream
from chalicelib.ports import StoreUnavailable
from chalicelib.services.access.access import Decision
from gateway.answers import Answer, Environ, Wsgi
from gateway.ingest_access import ingest

VERDICT_S_MAX = 10
REFUSAL_S = 1
SIGNATURE_S = 60
MEDIA_KEY = re.compile(r"streams/[a-z0-9][a-z0-9-]{0,62}/(?:[a-z0-9]+/)?[a-z0-9-]+\.(?:m3u8|ts)")

log = logging.getLogger("endpoints")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whom the endpoints ask: the access rule, the media store's signer, the denylist and the streams."""

    verdict: Callable[[str | None, str, Client], Decision]
    signed_query: Callable[[str, int], str]
    denied: Callable[[str, str | None], EndReason | None]
    stream: Callable[[str], Stream | None]
    now_ms: Callable[[], int]


def load() -> Wsgi:
    """The endpoints of this platform, on the product's own services."""
    from chalicelib import bootstrap
    from chalicelib.adapters.access.file_denylist import FileDenylist
    from chalicelib.adapters.aws import client

    container = bootstrap.container()
    directory = container.settings.denylist_dir
    if directory is None:
        raise RuntimeError("TOLLCAST_DENYLIST_DIR is not set: the gateway's denials would be lost")
    for service in ("dynamodb", "s3"):
        client(service)  # Made now: the first viewer would otherwise wait half a second for it.
    denylist = FileDenylist(directory)
    denylist.prepare()
    asked = Asked(
        verdict=container.access.authorize,
        signed_query=container.media.signed_query,
        denied=denylist.reason,
        stream=container.stream_table.get,
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    return application(asked)


def application(asked: Asked) -> Wsgi:
    """The endpoints as a WSGI application."""
    endpoints: dict[str, Callable[[Environ], Answer]] = {
        "/verdict": partial(verdict, asked),
        "/denial": partial(denial, asked),
        "/sign": partial(sign, asked),
        "/ingest": partial(ingest, asked.stream),
    }

    def wsgi(environ: Environ, start_response: Callable[[str, list[tuple[str, str]]], Any]) -> Iterable[bytes]:
        endpoint = endpoints.get(environ.get("PATH_INFO", ""))
        answer = endpoint(environ) if endpoint else Answer(404, {})
        body = json.dumps(answer.document).encode() if answer.document else b""
        headers = {"Content-Length": str(len(body)), "X-Accel-Expires": answer.keep, **answer.headers}
        if answer.document:
            headers["Content-Type"] = PROBLEM_JSON
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(headers.items()))
        return [body]

    return wsgi


def verdict(asked: Asked, environ: Environ) -> Answer:
    """200 and the stream, kept while it is paid; 401 or 403; 503 where it cannot be told, which nginx refuses too."""
    try:
        allowed = _verdict(asked, environ)
    except Exception as error:
        document = _refusal(error)
        # nginx's auth_request passes on 401 and 403 only; /denial tells the real status.
        status = document["status"] if document["status"] in (401, 503) else 403
        return Answer(status, {"X-Tollcast-Reason": document["code"]}, keep="0" if status == 503 else str(REFUSAL_S))
    if not STREAM_ID.fullmatch(allowed.stream_id):
        log.error("a verdict names the stream %r", allowed.stream_id)
        return Answer(503, {"X-Tollcast-Reason": "unavailable"})
    headers = {
        "X-Tollcast-Stream": allowed.stream_id,
        "X-Tollcast-User": allowed.user_id,
        "X-Tollcast-Pace": allowed.pace.value,
    }
    return Answer(200, headers, keep=_keep(allowed.until_ms, asked.now_ms()))


def _keep(until_ms: int, now_ms: int) -> str:
    """nginx keeps an answer to the end of the second that it is told, so the last whole one before `until_ms`."""
    last_s = min(until_ms // 1000 - 1, now_ms // 1000 + VERDICT_S_MAX)
    return f"@{last_s}" if last_s >= now_ms // 1000 else "0"


def denial(asked: Asked, environ: Environ) -> Answer:
    """The problem document of a refusal."""
    try:
        allowed = _verdict(asked, environ)
        # Allowed by the rule, so it was the denylist: it is ahead of what other processes know for a moment.
        reason = asked.denied(allowed.session_id, allowed.stream_id)
        document = problem_of(SessionOver(reason)) if reason else problem(503, "unavailable", "Try again.")
    except Exception as error:
        document = _refusal(error)
    headers = {}
    if document["status"] == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if document["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    return Answer(document["status"], headers, keep=str(REFUSAL_S), document=document)


def sign(asked: Asked, environ: Environ) -> Answer:
    """200 and the signed query of the object named by `X-Tollcast-Key`, which must be a stream's."""
    key = environ.get("HTTP_X_TOLLCAST_KEY", "")
    if not MEDIA_KEY.fullmatch(key):
        return Answer(403, {})
    try:
        return Answer(200, {"X-Tollcast-Query": asked.signed_query(key, SIGNATURE_S)})
    except Exception:
        log.exception("no signature for %s", key)
        return Answer(503, {})


def _verdict(asked: Asked, environ: Environ) -> Decision:
    session = environ.get("HTTP_X_TOLLCAST_SESSION", "")
    if not SESSION_ID.fullmatch(session):
        raise Unauthenticated("The address names no session.")
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    client = Client(ip=environ.get("HTTP_X_TOLLCAST_ADDRESS", ""), user_agent=environ.get("HTTP_X_TOLLCAST_AGENT", ""))
    allowed = asked.verdict(token.strip() or None if scheme.lower() == "bearer" else None, session, client)
    if allowed.session_id != session:
        raise Unauthenticated("This play token belongs to another session.")
    return allowed


def _refusal(error: Exception) -> dict[str, Any]:
    """The problem of whatever went wrong; what is not a refusal of ours is a 503, so access stays refused."""
    if isinstance(error, DomainError):
        return problem_of(error)
    if isinstance(error, StoreUnavailable):
        log.error("no verdict: %s", error)
    else:
        log.exception("no verdict", exc_info=error)
    return problem(503, "unavailable", "Whether this may be watched cannot be told now. Try again in a moment.")
