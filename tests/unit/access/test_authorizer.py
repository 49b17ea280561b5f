"""The authorizer function and the playlists behind it, on the vectors that all fronts share."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.app import AuthRequest

import app as functions
from chalicelib.api.access import media
from infra.deploy.template import gateway_responses
from tests.fakes.streams.media import MemoryMedia
from tests.vectors.access import VECTORS
from tests.vectors.case import AccessRule, Case
from tests.vectors.model import ALLOW, OPEN, PLAYLIST, RENDITION, SEGMENT, STATUS_OF_CODE, Answer, Front, Vector

NOW_MS = 1_800_000_000_000
API = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3/api"
# API Gateway responds with 401 if there is no token, otherwise with 403. The reason is in the body.
STATUS_OF_REFUSAL = int(gateway_responses()["ACCESS_DENIED"]["statusCode"])


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> Iterator[AccessRule]:
    rule = AccessRule(NOW_MS)
    rule.media = MemoryMedia()
    monkeypatch.setattr(
        media, "container", lambda: SimpleNamespace(access=rule, stores=SimpleNamespace(media=rule.media))
    )
    return rule


class ApiGateway:
    """A model of API Gateway between a request and a function: authorizer, policy, route."""

    def __init__(self, case: Case):
        self.path = re.sub(r"\Ahttp://[^/]+", "", case.target).partition("?")[0]
        self.method = case.vector.method
        # Repeated headers are one list (RFC 9110).
        tokens = [value.strip() for name, value in case.headers if name.lower() == "authorization"]
        self.token = ", ".join(tokens)

    def answer(self) -> Answer:
        """The refusal, or the key of what was read."""
        if not self.token:
            template = gateway_responses()["UNAUTHORIZED"]["responseTemplates"]["application/json"]
            return Answer(re.search(r'"code": "(\w+)"', template)[1], 401)
        request = AuthRequest("TOKEN", self.token, f"{API}/{self.method}{self.path}")
        judged = media.authorize(request).to_dict(request)
        allowed = [resource for each in judged["policyDocument"]["Statement"] for resource in each["Resource"]]
        if not any(_covers(resource, request.method_arn) for resource in allowed):
            return Answer(judged["context"]["code"], STATUS_OF_REFUSAL)
        return Answer(ALLOW, 200, f"streams/{judged['context']['stream_id']}/{self._read(judged['context'])}")

    def _read(self, context: dict[str, str]) -> str:
        """Return the medium of the view. API Gateway serves no segments."""
        found = re.fullmatch(r"/play/([^/]+)/(?:([^/]+)/)?index\.m3u8", self.path)
        if not found:
            return self.path.split("/", 3)[3]
        answer = functions.app(_event(self.path, found, context), None)
        assert answer["statusCode"] == 200, answer
        assert answer["headers"]["Cache-Control"] == "no-store"
        return answer["body"]


def _covers(resource: str, arn: str) -> bool:
    return bool(re.fullmatch(re.escape(resource).replace(r"\*", ".*"), arn))


def _event(path: str, found: re.Match[str], context: dict[str, str]) -> dict[str, Any]:
    parameters = {"session_id": found[1], **({"rendition": found[2]} if found[2] else {})}
    resource = f"/play/{{session_id}}/{'{rendition}/' if found[2] else ''}index.m3u8"
    empty = dict.fromkeys(("multiValueQueryStringParameters", "stageVariables", "body"))
    request = {"httpMethod": "GET", "resourcePath": resource, "authorizer": context}
    headers = {"headers": {}, "multiValueHeaders": {}, "isBase64Encoded": False}
    where = {"resource": resource, "path": path, "httpMethod": "GET", "pathParameters": parameters}
    return {**empty, **headers, **where, "requestContext": request}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_vectors(vector: Vector, rule: AccessRule):
    case = Case(vector, NOW_MS)
    for name in (PLAYLIST, RENDITION):
        rule.media.put(case.key(name), name.encode(), media.PLAYLIST_TYPE)
    expected = case.expected(Front.AUTHORIZER)
    if vector.after_a_good_one:
        rule.enter(case, OPEN)
        assert rule.authorize(case.play(), case.session_id, None)
    rule.enter(case, vector.state)
    decided = ApiGateway(case).answer()
    assert (decided.code, decided.key) == (expected.code, expected.key)
    assert (decided.status in (401, 403) or decided.code == ALLOW) and decided.code in STATUS_OF_CODE


def test_a_policy_opens_no_other_session(rule: AccessRule):
    case = Case(Vector(name="two sessions of one viewer", expect=ALLOW), NOW_MS)
    rule.enter(case, OPEN)
    request = AuthRequest("TOKEN", f"Bearer {case.play()}", f"{API}/GET/play/{case.session_id}/{SEGMENT}")
    [statement] = media.authorize(request).to_dict(request)["policyDocument"]["Statement"]
    assert statement["Resource"] == [f"{API}/*/play/{case.session_id}/*"]
