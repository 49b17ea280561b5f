"""Every role tries every route: those of its own answer, all others refuse it."""

import pytest

from chalicelib.api.endpoint import Endpoint
from chalicelib.api.openapi import ALL_ROUTES
from chalicelib.domain.accounts.users import Role
from tests.http.conftest import Api

ENDPOINTS = [each for routes in ALL_ROUTES for each in routes.endpoints if each.roles]
# The last one ends the login.
ENDPOINTS.sort(key=lambda each: each.path == "/auth/logout-everywhere")
# Nothing has these ids, so a route that lets the role in answers 404, or 400 for the missing body.
IDS = {
    "user_id": "u_" + "0" * 20,
    "stream_id": "no-stream",
    "session_id": "0" * 32,
    "key_id": "0" * 12,
    "block_id": "0" * 12,
    "payment_id": "none",
    "day": "2026-01-01",
}


@pytest.mark.parametrize("role", Role)
def test_each_role_reaches_its_routes_and_no_others(api: Api, role: Role) -> None:
    wrong, headers = {}, api.login(api.user(role))
    for endpoint in ENDPOINTS:
        answer = api.http.request(endpoint.method, endpoint.path.format(**IDS), headers=headers)
        refused = answer.status_code == 403 and answer.json()["code"] == "forbidden"
        if refused != (role not in (endpoint.roles or ())) or answer.status_code == 401:
            wrong[f"{endpoint.method} {endpoint.path}"] = (answer.status_code, answer.text)
    assert not wrong


def test_a_refusal_names_the_roles(api: Api) -> None:
    answer = api.http.get("/reconciliation", headers=api.login(api.user(Role.OPERATOR)))
    assert answer.json()["detail"] == "Only the role finance or admin may do this. This account has the role operator."


def test_a_new_role_counts_at_once(api: Api) -> None:
    user = api.user()
    headers = api.login(user)
    assert api.http.get("/workers", headers=headers).status_code == 403
    api.services.accounts.change(user.user_id, role=Role.OPERATOR)
    assert api.http.get("/workers", headers=headers).status_code == 200
    api.services.accounts.change(user.user_id, role=Role.FINANCE)
    assert api.http.get("/workers", headers=headers).status_code == 403


def test_the_routes_of_a_role_are_those_of_the_document(api: Api) -> None:
    paths = api.http.get("/openapi.json").json()["paths"]
    found = {(e.method, e.path): paths[e.path][e.method.lower()]["x-roles"] for e in ENDPOINTS}
    assert found == {(e.method, e.path): [r.value for r in Role if r in (e.roles or ())] for e in ENDPOINTS}


def test_the_table_has_endpoints_of_each_group() -> None:
    groups: dict[frozenset[Role], list[Endpoint]] = {}
    for endpoint in ENDPOINTS:
        groups.setdefault(endpoint.roles or frozenset(), []).append(endpoint)
    assert len(groups) == 5
