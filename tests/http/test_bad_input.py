"""Whatever is sent, the answer is a problem with a 4xx that names what was wrong; never a 5xx."""

import json
from typing import Any

import pytest

import app
from chalicelib.api.openapi import ALL_ROUTES, document
from tests.http.conftest import Api

ENDPOINTS = [endpoint for routes in ALL_ROUTES for endpoint in routes.endpoints]
WITH_BODY = [endpoint for endpoint in ENDPOINTS if endpoint.body]
PLACES = {"stream_id": "no-such-stream", "user_id": "u_" + "a" * 20, "session_id": "a" * 26, "day": "2026-01-01"}
PLACES |= {"key_id": "a" * 16, "payment_id": "no-such-payment", "block_id": "u_" + "a" * 20}
BODIES = [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 20_000, b'{"a":' * 5_000, b"NaN", b"1e999"]


def path_of(endpoint: Any) -> str:
    return str(endpoint.path).format(**PLACES)


def each_of(endpoints: list[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda each: f"{each.method} {each.path}")


@pytest.fixture(scope="module")
def admin(api: Api) -> dict[str, str]:
    # With what the routes of browsers want first.
    return {**api.admin(), "X-CSRF": "1"}


@pytest.fixture(scope="module")
def viewer(api: Api) -> dict[str, str]:
    return api.viewer(0)


def check_problem(answer: Any, *statuses: int) -> dict[str, Any]:
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(found)
    assert found["status"] == answer.status_code
    return found


@each_of(WITH_BODY)
def test_bodies_that_are_no_object(api: Api, admin: dict[str, str], endpoint: Any) -> None:
    for body in BODIES:
        answer = api.http.request(endpoint.method, path_of(endpoint), content=body, headers=admin)
        assert check_problem(answer, 400)["errors"], body[:20]


@each_of([each for each in ENDPOINTS if each.method == "POST" and not each.body])
def test_a_body_that_would_be_ignored_is_refused(api: Api, admin: dict[str, str], endpoint: Any) -> None:
    found = check_problem(api.http.request(endpoint.method, path_of(endpoint), json={"x": 1}, headers=admin), 400)
    assert found["errors"] == [{"field": "body", "detail": "this route takes no body"}]


# Lists of which none is a value, too.
MAY_BE_EMPTY = {"backups", "custom_renditions"}


@each_of(WITH_BODY)
def test_unknown_fields_and_wrong_types_are_named(api: Api, admin: dict[str, str], endpoint: Any) -> None:
    path = path_of(endpoint)
    found = check_problem(api.http.request(endpoint.method, path, json={"no_such_field": 1}, headers=admin), 400)
    (unknown,) = [error for error in found["errors"] if error["field"] == "no_such_field"]
    assert unknown["detail"].startswith("unknown; allowed: ") and all(
        name in unknown["detail"] for name in endpoint.body.model_fields
    )
    for name in endpoint.body.model_fields:
        wrong = ({"x": 1}, 1.5, -(10**30), "x" * 5_000)
        for value in wrong if name in MAY_BE_EMPTY else ([], *wrong):
            answer = api.http.request(endpoint.method, path, json={name: value}, headers=admin)
            fields = [error["field"].split(".")[0] for error in check_problem(answer, 400)["errors"]]
            assert name in fields, (name, value)


WRONG_TEXTS = ["", "  ", "\x00", "ä ö/ü", "-", "x" * 600]
# Remains of the server's tools. Errors say in words what is allowed.
NOT_WORDS = ("pattern", "^", "\\", "[A-Z", "[a-z", "Value error", "regex")


@each_of([each for each in ENDPOINTS if each.body or each.query])
def test_errors_say_in_words_what_is_allowed(api: Api, admin: dict[str, str], endpoint: Any) -> None:
    answers = []
    for value in WRONG_TEXTS:
        if endpoint.body:
            body = dict.fromkeys(endpoint.body.model_fields, value)
            answers.append(api.http.request(endpoint.method, path_of(endpoint), json=body, headers=admin))
        else:
            params = dict.fromkeys(endpoint.query.model_fields, value)
            answers.append(api.http.get(path_of(endpoint), params=params, headers=admin))
    # Some of it is allowed in a token or a reason, and then refused for what it is.
    found = [check_problem(answer, 400, 401, 404) for answer in answers]
    wrong = [each for each in found if each["status"] == 400]
    assert wrong
    details = [text for each in wrong for text in (each["detail"], *(error["detail"] for error in each["errors"]))]
    assert [text for text in details if any(bad in text for bad in NOT_WORDS)] == []


@each_of(WITH_BODY)
def test_huge_bodies(api: Api, admin: dict[str, str], endpoint: Any) -> None:
    body = json.dumps({"note": "x" * 70_000}).encode()
    answer = api.http.request(endpoint.method, path_of(endpoint), content=body, headers=admin)
    assert check_problem(answer, 413)["code"] == "body_too_large"


@each_of([each for each in ENDPOINTS if each.method == "GET" and each.path != "/openapi.json"])
def test_query_parameters_are_checked(api: Api, admin: dict[str, str], endpoint: Any) -> None:
    path = path_of(endpoint)
    found = check_problem(api.http.get(path, params={"no_such": "1"}, headers=admin), 400)
    assert found["errors"][0]["field"] == "no_such"
    if endpoint.query:
        for params in ({"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"limit": ""}, {"cursor": ""}):
            found = check_problem(api.http.get(path, params=params, headers=admin), 400)
            assert found["errors"][0]["field"] in params
        for cursor in ("nonsense", "e30", "W10", "eyJ4IjoxfQ", "-1", "9" * 900, "\u0661"):
            check_problem(api.http.get(path, params={"cursor": cursor}, headers=admin), 400, 404)
        check_problem(api.http.get(f"{path}?limit=1&limit=2", headers=admin), 400)


def test_wrong_methods_and_unknown_paths(api: Api, admin: dict[str, str]) -> None:
    for method, path in (("GET", "/auth/login"), ("DELETE", "/me"), ("PUT", "/streams"), ("TRACE", "/healthz")):
        answer = api.http.request(method, path, headers=admin)
        check_problem(answer, 405)
        assert answer.headers["allow"]
    for path in ("/nothing", "/me/nothing", "//me", "/me/%2e%2e/users"):
        check_problem(api.http.get(path, headers=admin), 404)


@pytest.mark.parametrize("stream_id", ["x" * 3_000, "%00", "UPPER", "a%2Fb", "%F0%9F%98%80", "-x", "a%20b"])
def test_ids_of_another_form_do_not_exist(api: Api, admin: dict[str, str], stream_id: str) -> None:
    check_problem(api.http.get(f"/streams/{stream_id}", headers=admin), 404)
    check_problem(api.http.get(f"/wallets/{stream_id}", headers=admin), 404)


def test_ids_that_do_not_exist(api: Api, admin: dict[str, str]) -> None:
    stream, wallet = "/streams/nope", f"/wallets/u_{'b' * 20}"
    wanted = {f"GET {wallet}": "user_not_found", f"GET {wallet}/ledger": "user_not_found"}
    wanted |= {f"{method} {stream}": "stream_not_found" for method in ("GET", "DELETE")}
    wanted |= {f"POST {stream}/{each}": "stream_not_found" for each in ("restart", "preview", "ingest-key")}
    wanted[f"GET {stream}/runtime"] = "stream_not_found"
    wanted |= {"GET /payments/nope": "payment_not_found", f"DELETE /service-keys/{'a' * 16}": "key_not_found"}
    wanted[f"DELETE /blocks/u_{'b' * 20}"] = "block_not_found"
    for request, code in wanted.items():
        assert check_problem(api.http.request(*request.split(), headers=admin), 404)["code"] == code
    assert check_problem(api.beat(admin, "a" * 26, 2), 404)["code"] == "session_not_found"


def test_the_document_names_every_route(api: Api) -> None:
    served = api.http.get("/openapi.json").json()
    assert served == json.loads(json.dumps(document()))
    declared = {(endpoint.path, endpoint.method.lower()) for endpoint in ENDPOINTS}
    assert {(path, method) for path, methods in served["paths"].items() for method in methods} == declared
    routed = {(path, method.lower()) for path, methods in app.app.routes.items() for method in methods}
    media = {("/play/{session_id}/index.m3u8", "get"), ("/play/{session_id}/{rendition}/index.m3u8", "get")}
    assert routed - media == declared
