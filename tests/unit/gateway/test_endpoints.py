import json

import pytest

from chalicelib.domain.access.clients import Client
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import BoundElsewhere, TokenExpired, Unauthenticated
from chalicelib.domain.money.errors import SessionOver
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.access.access import Decision
from gateway.endpoints.application import application
from gateway.endpoints.services import EndpointServices

SESSION = "a" * 26
NOW_MS = 1_700_000_000_500
NOW_S = NOW_MS // 1000


class StubServices:
    """Stubs of the endpoints' services. Tests change their results."""

    def __init__(self):
        self.error = self.reason = None
        self.stream, self.session, self.until_ms = "stream-1", SESSION, NOW_MS + 60_000
        self.tokens, self.clients = [], []

    def authorize(self, token, session_id, client):
        self.tokens.append(token)
        self.clients.append(client)
        if self.error:
            raise self.error
        where = {"session_id": self.session, "user_id": "u", "stream_id": self.stream}
        return Decision(**where, until_ms=self.until_ms, fetchable_ms=18_000)

    def signed_query(self, key, expires_s):
        if self.error:
            raise self.error
        return f"key={key}&expires={expires_s}"

    def ask(self, path, session=SESSION, authorization="Bearer good", **environ):
        stubs = EndpointServices(
            authorize=self.authorize,
            signed_query=self.signed_query,
            denial_reason=lambda session, stream: self.reason,
            find_stream=lambda stream_id: None,
            now_ms=lambda: NOW_MS,
        )
        seen = {}
        environ = {"PATH_INFO": path, "HTTP_X_TOLLCAST_SESSION": session, **environ}
        if authorization is not None:
            environ["HTTP_AUTHORIZATION"] = authorization
        body = b"".join(application(stubs)(environ, lambda status, headers: seen.update(s=status, h=dict(headers))))
        return int(seen["s"][:3]), seen["h"], json.loads(body) if body else None


services = pytest.fixture(lambda: StubServices())


def test_an_authorization_names_the_stream_and_other_paths_are_not_found(services):
    status, headers, _ = services.ask("/verdict")
    assert (status, headers["X-Tollcast-Stream"], services.tokens) == (200, "stream-1", ["good"])
    assert headers["X-Tollcast-Fetchable"] == "18000"
    assert services.ask("/")[0] == 404


def test_the_access_rule_gets_the_client_that_nginx_sees(services):
    for path in ("/verdict", "/denial"):
        services.ask(path, HTTP_X_TOLLCAST_ADDRESS="192.0.2.1", HTTP_X_TOLLCAST_AGENT="mpv", REMOTE_ADDR="192.0.2.9")
    services.ask("/verdict", HTTP_USER_AGENT="nginx")
    assert services.clients == [Client(ip="192.0.2.1", user_agent="mpv")] * 2 + [Client(ip="", user_agent="")]


def test_how_long_nginx_may_cache_an_authorization(services):
    """nginx caches it to the end of the given second, which must end before the lease."""
    kept_s = {60_000: 10, 4_000: 3, 1_600: 1, 1_000: 0, 400: None, 0: None, -3_000: None}
    for left_ms, more_s in kept_s.items():
        services.until_ms = NOW_MS + left_ms
        expires = services.ask("/verdict")[1]["X-Accel-Expires"]
        assert expires == ("0" if more_s is None else f"@{NOW_S + more_s}"), left_ms


@pytest.mark.parametrize(
    ("error", "authorize", "denial", "code"),
    [
        *((Unauthenticated("x"), 401, 401, "token_invalid"), (TokenExpired("x"), 401, 401, "token_expired")),
        (SessionOver(EndReason.BALANCE_EXHAUSTED), 403, 402, "balance_exhausted"),
        (SessionOver(EndReason.KICKED), 403, 403, "kicked"),
        (BoundElsewhere("x"), 403, 403, "session_bound_elsewhere"),
        (SessionOver(EndReason.STREAM_PAUSED), 403, 410, "stream_paused"),
        *((StoreUnavailable("x"), 503, 503, "unavailable"), (RuntimeError("secret"), 503, 503, "unavailable")),
    ],
    ids=str,
)
def test_refusals(services, error, authorize, denial, code):
    services.error = error
    status, headers, _ = services.ask("/verdict")
    assert (status, headers["X-Tollcast-Reason"]) == (authorize, code)
    assert headers["X-Accel-Expires"] == ("0" if authorize == 503 else "1") and "X-Tollcast-Stream" not in headers
    status, headers, document = services.ask("/denial")
    assert (status, document["status"], document["code"]) == (denial, denial, code)
    assert headers["Content-Type"] == "application/problem+json" and "secret" not in json.dumps(document)


def test_without_a_bearer_token_there_is_no_token_and_an_invalid_session_is_refused_without_the_access_rule(services):
    for authorization in (None, "", "good", "Basic good", "Bearer", "Bearer  "):
        services.ask("/verdict", authorization=authorization)
    assert services.tokens == [None] * 6
    for session in ("", "x", "A" * 26, "a" * 27, "../" + "a" * 23):
        assert services.ask("/verdict", session=session)[0] == 401
    assert len(services.tokens) == 6


def test_an_authorization_without_a_valid_stream_or_of_another_session_is_a_refusal(services):
    for stream in ("", "UPPER", "a/b", "..", "a\r\nX: y"):
        services.stream = stream
        status, headers, _ = services.ask("/verdict")
        assert status == 503 and "X-Tollcast-Stream" not in headers, stream
    services.session = "b" * 26
    assert services.ask("/verdict")[0] == 401


def test_a_denial_by_the_denylist_has_its_reason(services):
    services.reason = EndReason.STREAM_STOPPED
    status, _, document = services.ask("/denial")
    assert (status, document["end_reason"]) == (410, "stream_stopped")
    services.reason = None
    assert services.ask("/denial")[0] == 503


def test_media_and_nothing_else_is_signed(services):
    for key in ("streams/stream-1/index.m3u8", "streams/s/720p/1-000001.ts"):
        status, headers, _ = services.ask("/sign", HTTP_X_TOLLCAST_KEY=key)
        assert (status, headers["X-Tollcast-Query"]) == (200, f"key={key}&expires=60")
    others = "secrets logs/stream-1.json logs/stream-1/index.m3u8 streams/ streams/../x.ts streams/s/../../x.ts"
    for key in ("", *others.split(), "streams/s/x.ts?y", "streams/s/a/b/c.ts"):
        status, headers, _ = services.ask("/sign", HTTP_X_TOLLCAST_KEY=key)
        assert status == 403 and "X-Tollcast-Query" not in headers, key
    services.error = StoreUnavailable("x")
    assert services.ask("/sign", HTTP_X_TOLLCAST_KEY="streams/s/x.ts")[0] == 503


def test_a_failure_is_one_line_with_the_request_and_the_session_and_without_the_token(services, log_lines):
    services.error = StoreUnavailable("no answer")
    given = {"HTTP_X_REQUEST_ID": "request-1", "authorization": "Bearer a-play-token"}
    services.ask("/verdict", **given)
    services.ask("/sign", HTTP_X_TOLLCAST_KEY="streams/s/x.ts", session="not\nan id", **given)
    verdict, sign = log_lines()
    assert (verdict["request_id"], verdict["session_id"], verdict["error"]) == ("request-1", SESSION, "no answer")
    assert (sign["request_id"], sign["key"]) == ("request-1", "streams/s/x.ts") and "session_id" not in sign
    assert "a-play-token" not in json.dumps([verdict, sign])
