"""Service keys over HTTP: what they reach, what operators see of them, and how they end."""

import json
from typing import Any

import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.api.endpoint import Endpoint
from chalicelib.api.openapi import ALL_ROUTES
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.accounts.users import Role
from tests.http.conftest import Api, assert_problem
from tests.http.test_bad_input import path_of

ENDPOINTS = [endpoint for routes in ALL_ROUTES for endpoint in routes.endpoints]
WITH_ROLE = [endpoint for endpoint in ENDPOINTS if endpoint.roles]


def new_key(api: Api, *scopes: str, **more: Any) -> dict[str, Any]:
    body = {"name": "shop", "scopes": list(scopes or Scope), "expires_in_days": 30, **more}
    created = api.http.post("/service-keys", json=body, headers=api.admin())
    assert created.status_code == 201, created.text
    return dict(created.json())


def with_key(key: dict[str, Any] | str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key if isinstance(key, str) else key['key']}"}


def listed(api: Api, key_id: str) -> dict[str, Any]:
    [found] = [each for each in api.all_items(api.admin(), "/service-keys", limit=50) if each["key_id"] == key_id]
    return dict(found)


@pytest.fixture(scope="module")
def keys(api: Api) -> dict[str, dict[str, str]]:
    """The headers of keys: of all scopes, of each scope, and of keys that are not accepted."""
    revoked, expired, full = (new_key(api) for _ in range(3))
    api.http.delete(f"/service-keys/{revoked['key_id']}", headers=api.admin())
    expire(api, expired["key_id"])
    own = {scope.value: with_key(new_key(api, scope.value)) for scope in Scope}
    wrong = full["key"][:-4] + ("aaaa" if not full["key"].endswith("aaaa") else "bbbb")
    return {
        **own,
        "full": with_key(full),
        "key_invalid": with_key(wrong),
        "key_revoked": with_key(revoked),
        "key_expired": with_key(expired),
    }


def expire(api: Api, key_id: str) -> None:
    client("dynamodb").update_item(
        TableName=api.services.settings.table_prefix + "service_keys",
        Key=to_row({"key_id": key_id}),
        UpdateExpression="SET expires_at_ms = :past",
        ExpressionAttributeValues=to_row({":past": api.services.stores.clock.now_ms() - 1}),
    )


def test_the_routes_of_keys_are_these() -> None:
    found = {f"{each.method} {each.path}": each.key_scope.value for each in ENDPOINTS if each.key_scope}
    of_credit = ("GET /users/lookup", "POST /wallets/{user_id}/credit", "GET /payments/{payment_id}")
    names = ("metrics", "streams", "cut-offs", "errors", "series", "overview")
    of_metrics = (f"GET /monitoring/{name}" for name in names)
    assert found == {
        **dict.fromkeys((*of_credit, "POST /payments/{payment_id}/reverse"), "credit"),
        **dict.fromkeys(of_metrics, "metrics"),
        **dict.fromkeys(("POST /playback/kick", "POST /monitoring/canary"), "canary"),
    }


@pytest.mark.parametrize("endpoint", WITH_ROLE, ids=lambda each: f"{each.method} {each.path}")
def test_a_key_reaches_the_routes_of_its_scopes_and_no_other(
    api: Api, keys: dict[str, dict[str, str]], endpoint: Endpoint
) -> None:
    def ask(name: str) -> Any:
        return api.http.request(endpoint.method, path_of(endpoint), headers=keys[name])

    for code in ("key_invalid", "key_revoked", "key_expired"):
        assert assert_problem(ask(code), 401, code)
    scope = endpoint.key_scope
    for name in ("full", *Scope):
        if scope is None or name not in ("full", scope):
            assert_problem(ask(name), 403, "key_scope")
        else:
            # It is past the check: found nothing, misses its body, or answers.
            assert ask(name).status_code in (200, 400, 404)


def test_routes_for_anyone_ignore_a_key(api: Api, keys: dict[str, dict[str, str]]) -> None:
    for headers in (keys["full"], keys["key_revoked"]):
        assert api.http.get("/healthz", headers=headers).status_code == 200
        assert_problem(
            api.http.post("/auth/login", json={"email": "a@local", "password": "x"}, headers=headers),
            401,
            "invalid_credentials",
        )


def test_a_secret_is_shown_once(api: Api) -> None:
    key = new_key(api, "metrics", name="grafana 1", expires_in_days=400)
    assert (key["name"], key["scopes"], key["last_used_at_ms"], key["revoked_at_ms"]) == (
        "grafana 1",
        ["metrics"],
        None,
        None,
    )
    assert key["expires_at_ms"] - key["created_at_ms"] == 400 * 86_400_000
    assert key["key"].startswith(f"tck_{key['key_id']}_")
    before = listed(api, key["key_id"])
    assert before == {name: value for name, value in key.items() if name != "key"}
    assert api.http.get("/monitoring/metrics", headers=with_key(key)).status_code == 200
    used = listed(api, key["key_id"])["last_used_at_ms"]
    assert abs(used - api.services.stores.clock.now_ms()) < 10_000
    table = api.services.settings.table_prefix + "service_keys"
    rows = json.dumps(client("dynamodb").scan(TableName=table)["Items"])
    assert key["key_id"] in rows and key["key"].rpartition("_")[2] not in rows


def test_a_rotation_overlaps_and_a_revocation_counts_at_once(api: Api) -> None:
    key = new_key(api, "metrics")

    def rotate(overlap_hours: int) -> dict[str, Any]:
        body = {"overlap_hours": overlap_hours}
        answer = api.http.post(f"/service-keys/{key['key_id']}/rotate", json=body, headers=api.admin())
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def asked(each: dict[str, Any]) -> int:
        return api.http.get("/monitoring/errors", headers=with_key(each)).status_code

    second = rotate(168)
    assert second["key_id"] == key["key_id"] and second["key"] != key["key"]
    assert [asked(each) for each in (key, second)] == [200, 200]
    third = rotate(0)
    assert [asked(each) for each in (key, second, third)] == [401, 401, 200]
    revoked = api.http.delete(f"/service-keys/{key['key_id']}", headers=api.admin())
    assert revoked.json()["revoked_at_ms"] is not None and "key" not in revoked.json()
    # Both workers of the API, several times.
    assert {asked(third) for _ in range(8)} == {401}
    again = api.http.delete(f"/service-keys/{key['key_id']}", headers=api.admin())
    assert again.json()["revoked_at_ms"] == revoked.json()["revoked_at_ms"]
    body = {"overlap_hours": 1}
    refused = api.http.post(f"/service-keys/{key['key_id']}/rotate", json=body, headers=api.admin())
    assert_problem(refused, 409, "conflict")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 65),
        ("name", " shop"),
        ("name", "sh\x1bop"),
        ("scopes", []),
        ("scopes", ["admin"]),
        ("scopes", "credit"),
        ("expires_in_days", 0),
        ("expires_in_days", 401),
        ("expires_in_days", 10**30),
    ],
)
def test_a_wrong_key_is_not_created(api: Api, field: str, value: object) -> None:
    body = {"name": "shop", "scopes": ["credit"], "expires_in_days": 1, field: value}
    problem = assert_problem(api.http.post("/service-keys", json=body, headers=api.admin()), 400, "invalid_request")
    assert problem["errors"][0]["field"].startswith(field)


@pytest.mark.parametrize("hours", [-1, 169, 1.5, None])
def test_a_wrong_overlap_rotates_nothing(api: Api, hours: object) -> None:
    key = new_key(api, "metrics")
    path = f"/service-keys/{key['key_id']}/rotate"
    problem = assert_problem(
        api.http.post(path, json={"overlap_hours": hours}, headers=api.admin()), 400, "invalid_request"
    )
    assert problem["errors"][0]["field"] == "overlap_hours"
    assert api.http.get("/monitoring/errors", headers=with_key(key)).status_code == 200


def test_operators_only_make_keys_and_the_log_names_a_key(api: Api) -> None:
    viewer = api.viewer()
    body = {"name": "shop", "scopes": ["credit"], "expires_in_days": 1}
    assert_problem(api.http.post("/service-keys", json=body, headers=viewer), 403, "forbidden")
    key, user = new_key(api, "credit"), api.user()
    paid = {"millipoints": 5, "payment_id": f"evt-{key['key_id']}"}
    assert api.http.post(f"/wallets/{user.user_id}/credit", json=paid, headers=with_key(key)).status_code == 200
    actor = f"key:{key['key_id']}"
    for params in ({"by_user_id": actor}, {"user_id": user.user_id}):
        [entry] = api.get(api.admin(), "/audit", **params)["items"]
        assert (entry["action"], entry["by_user_id"], entry["target"]) == ("wallet.credit", actor, user.user_id)
    assert entry["details"] == {**paid, "note": "", "source": "shop"}
    bad = api.http.get("/audit", params={"by_user_id": "key:x"}, headers=api.admin())
    assert assert_problem(bad, 400, "invalid_request")["errors"][0]["field"] == "by_user_id"


def test_an_operator_has_no_less_than_a_key(api: Api) -> None:
    for endpoint in ENDPOINTS:
        assert endpoint.key_scope is None or Role.ADMIN in endpoint.roles
