"""Users reach only their own resources: every route that names an owner or a session, by every role.

The routes come from the OpenAPI document, so one that is new is tried as well; a field that is not known here
fails it.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.api.openapi import document
from tests.http.conftest import Api
from tests.schema.document import Operation, operations

OWNED = {"user_id", "session_id"}
OPERATIONS = [each for each in operations(document()) if OWNED & {*each.path_names, *each.required}]
VIEWERS = [each for each in OPERATIONS if "viewer" in each.roles]


@dataclass(frozen=True)
class Resources:
    """The owner of the resources, and the account that requests them."""

    owner: dict[str, str]
    values: dict[str, Any]
    strangers: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def resources(api: Api) -> Resources:
    user = api.user(millipoints=100_000)
    owner = api.login(user)
    session_id = api.watch(owner)
    values = {"user_id": user.user_id, "session_id": session_id, "seq": 1, "millipoints": 1, "payment_id": "p"}
    values |= {"disabled": False, "daily_cap_millipoints": 1}
    return Resources(owner, values, {"anonymous": {}, "viewer": api.viewer(), "admin": api.admin()})


def ask(api: Api, operation: Operation, resources: Resources, headers: dict[str, str]) -> int:
    body = {name: resources.values[name] for name in operation.required}
    path = operation.path.format(**resources.values)
    return api.http.request(operation.method, path, json=body or None, headers=headers).status_code


def test_there_are_such_routes() -> None:
    of_users = {"GET /wallets/{user_id}", "PATCH /users/{user_id}", "GET /me/sessions/{session_id}"}
    of_sessions = {"POST /playback/stop", "POST /playback/kick", "POST /sessions/{session_id}/adjust"}
    assert {str(each) for each in OPERATIONS} >= of_users | of_sessions
    assert all(each.roles for each in OPERATIONS), "a route that names an owner needs the caller's role"


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_strangers_are_refused(api: Api, resources: Resources, operation: Operation) -> None:
    assert ask(api, operation, resources, resources.strangers["anonymous"]) == 401
    viewers = "viewer" in operation.roles
    assert ask(api, operation, resources, resources.strangers["viewer"]) == (404 if viewers else 403)
    if viewers:
        # An operator is no more than another viewer here.
        assert ask(api, operation, resources, resources.strangers["admin"]) == 404
    assert ask(api, operation, resources, {"Authorization": "Bearer " + "x" * 40}) == 401


@pytest.mark.parametrize("operation", VIEWERS, ids=str)
def test_and_owners_are_not(api: Api, resources: Resources, operation: Operation) -> None:
    # Otherwise the refusals prove nothing. The routes are in the order of their declaration, so the stop is last.
    assert ask(api, operation, resources, resources.owner) == 200
