"""Users reach only their own resources: every route that names an owner or a session, by every role.

The routes come from the OpenAPI document, so one that is new is tried as well; a field that is not known here
fails it.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.api.openapi import document
from tests.http.conftest import Api

OWNED = {"user_id", "session_id"}


@dataclass(frozen=True)
class Operation:
    """A route that names an account, in its path or its body."""

    method: str
    path: str
    role: str | None
    required: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations() -> list[Operation]:
    found = []
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            in_path = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
            required = _required(operation)
            if OWNED & (in_path | set(required)):
                found.append(Operation(method.upper(), path, operation.get("x-role"), required))
    return found


def _required(operation: dict[str, Any]) -> tuple[str, ...]:
    if "requestBody" not in operation:
        return ()
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    return tuple(document()["components"]["schemas"][name].get("required", ()))


OPERATIONS = operations()
VIEWERS = [each for each in OPERATIONS if each.role == "viewer"]


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
    session_id = api.start(owner, api.live_stream()).json()["session_id"]
    values = {"user_id": user.user_id, "session_id": session_id, "seq": 1, "millipoints": 1, "payment_id": "p"}
    return Resources(owner, values, {"anonymous": {}, "viewer": api.viewer(), "admin": api.admin()})


def ask(api: Api, operation: Operation, resources: Resources, headers: dict[str, str]) -> int:
    body = {name: resources.values[name] for name in operation.required}
    path = operation.path.format(**resources.values)
    return api.http.request(operation.method, path, json=body or None, headers=headers).status_code


def test_there_are_such_routes() -> None:
    assert {str(each) for each in OPERATIONS} >= {
        "GET /wallets/{user_id}",
        "PATCH /users/{user_id}",
        "GET /me/sessions/{session_id}",
        "POST /playback/stop",
        "POST /playback/kick",
        "POST /sessions/{session_id}/adjust",
    }
    assert all(each.role for each in OPERATIONS), "a route that names an owner needs the caller's role"


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_strangers_are_refused(api: Api, resources: Resources, operation: Operation) -> None:
    assert ask(api, operation, resources, resources.strangers["anonymous"]) == 401
    assert ask(api, operation, resources, resources.strangers["viewer"]) == (403 if operation.role == "admin" else 404)
    if operation.role == "viewer":
        # An operator is no more than another viewer here.
        assert ask(api, operation, resources, resources.strangers["admin"]) == 404
    assert ask(api, operation, resources, {"Authorization": "Bearer " + "x" * 40}) == 401


@pytest.mark.parametrize("operation", VIEWERS, ids=str)
def test_and_owners_are_not(api: Api, resources: Resources, operation: Operation) -> None:
    # Otherwise the refusals prove nothing. The routes are in the order of their declaration, so the stop is last.
    assert ask(api, operation, resources, resources.owner) == 200
