"""Log lines and embedded metrics: which values they have, and that no token is among them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from app import app
from chalicelib import observability
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.operations.totals import embedded_of
from infra.local.emulator.lambda_gateway import Gateway
from tests.fakes.stores import memory_services

EMAIL, PASSWORD = "viewer@local", "a good password"
SESSION_ID = "a" * 26


class Requests:
    """The functions over stores in memory."""

    def __init__(self, lines: Callable[[], list[dict[str, Any]]]) -> None:
        self.services, self.lines = memory_services(), lines
        self._gateway = Gateway(app)
        self.headers = {"content-type": "application/json", "x-request-id": "request-1"}

    def send(self, method: str, path: str, body: object = None, **headers: str) -> dict[str, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        return dict(self._gateway.handle_request(method, path, {**self.headers, **headers}, content))


@pytest.fixture
def requests(log_lines: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch) -> Requests:
    made = Requests(log_lines)
    monkeypatch.setattr("chalicelib.api.endpoint.container", lambda: made.services)
    return made


def test_a_refusal_is_one_line_with_ids_and_without_a_token(requests: Requests) -> None:
    user = requests.services.accounts.create(EMAIL, PASSWORD, Role.VIEWER)
    login = json.loads(requests.send("POST", "/auth/login", {"email": EMAIL, "password": PASSWORD})["body"])
    token = login["access_token"]
    body = {"session_id": SESSION_ID, "seq": 2}
    answer = requests.send("POST", "/playback/heartbeat", body, authorization=f"Bearer {token}")
    assert (answer["statusCode"], answer["headers"]["X-Request-ID"]) == (404, "request-1")
    [line] = requests.lines()
    named = {name: line[name] for name in ("request_id", "method", "route", "user_id", "session_id", "status", "code")}
    assert named == {
        "request_id": "request-1",
        "method": "POST",
        "route": "/playback/heartbeat",
        "user_id": user.user_id,
        "session_id": SESSION_ID,
        "status": 404,
        "code": "session_not_found",
    }
    assert (line["level"], line["message"]) == ("INFO", "request refused")
    text = json.dumps(line)
    assert token not in text and PASSWORD not in text and EMAIL not in text


def test_values_of_one_request_are_not_in_the_next_ones_lines(requests: Requests) -> None:
    requests.services.accounts.create(EMAIL, PASSWORD, Role.VIEWER)
    login = json.loads(requests.send("POST", "/auth/login", {"email": EMAIL, "password": PASSWORD})["body"])
    beat = {"session_id": SESSION_ID, "seq": 2}
    requests.send("POST", "/playback/heartbeat", beat, authorization=f"Bearer {login['access_token']}")
    requests.send("GET", "/streams", None, **{"x-request-id": "request-2"})
    first, second = requests.lines()
    assert (first["session_id"], first["request_id"]) == (SESSION_ID, "request-1")
    assert (second["code"], second["request_id"], second["route"]) == ("token_invalid", "request-2", "/streams")
    assert "user_id" not in second and "session_id" not in second


def test_errors_name_their_last_request(requests: Requests) -> None:
    for number in range(3):
        requests.send("GET", "/streams", None, **{"x-request-id": f"request-{number}"})
    [error] = requests.services.monitoring.errors()
    assert (error.method, error.route, error.status, error.code) == ("GET", "/streams", 401, "token_invalid")
    assert (error.count, error.last_request_id) == (3, "request-2")


COUNTS = {
    "login_failures": 3,
    "spent_millipoints": -1_500,
    "problem.404.not_found": 2,
    "problem.401.token_invalid": 1,
    "problem.503.unavailable": 4,
    "cut_off.kicked.0": 2,
    "cut_off.kicked.10": 1,
    "cut_off_ms.kicked": 7_000,
}
EMBEDDED = {
    "login_failures": 3,
    "points_spent": -1.5,
    "problems_4xx": 3,
    "problems_5xx": 4,
    "cut_offs": 3,
    "cut_offs_above_5s": 1,
}


def test_counts_go_to_the_log_as_embedded_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    assert embedded_of(COUNTS) == EMBEDDED and embedded_of({"spent_millipoints": 0}) == {}
    observability.emit_metrics("prod", {})
    assert capsys.readouterr().out == ""
    for _ in range(2):
        observability.emit_metrics("prod", EMBEDDED)
        [line] = capsys.readouterr().out.splitlines()
        document = json.loads(line)
        [described] = document["_aws"]["CloudWatchMetrics"]
        assert described["Namespace"] == "Tollcast" and set(described["Dimensions"][0]) == {"service", "stage"}
        assert {each["Name"]: each["Unit"] for each in described["Metrics"]} == dict.fromkeys(EMBEDDED, "Count")
        assert {name: document[name] for name in EMBEDDED} == {name: [value] for name, value in EMBEDDED.items()}
        assert document["stage"] == "prod"


@pytest.mark.parametrize(("switch", "lines"), [("on", 1), ("off", 0)])
def test_only_where_it_is_set(switch: str, lines: int, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    services = memory_services(TOLLCAST_EMBEDDED_METRICS=switch)
    del services.stores.counters
    monkeypatch.setattr("chalicelib.adapters.operations.dynamodb_counters.call", lambda *_, **__: None)
    services.stores.counters.add("login_failures")
    services.stores.counters.flush()
    assert len(capsys.readouterr().out.splitlines()) == lines
