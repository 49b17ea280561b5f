"""Every action of an operator is in the audit log: who, what, on what, from where, before and after."""

import json
from collections.abc import Callable
from typing import Any

from chalicelib.api.openapi import ALL_ROUTES
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.operations.audit import Action, Actor
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.stores import memory_services
from tests.http.conftest import Api, bearer

IP = "192.0.2.55"
# What `work` does, and on what.
DONE = (
    "key.create:key_id key.rotate:key_id key.revoke:key_id stream.create:stream_id stream.edit:stream_id"
    " stream.restart:stream_id stream.ingest-key:stream_id stream.state:stream_id stream.archive:stream_id"
    " stream.preview:live user.create:user_id wallet.credit:user_id payment.reverse:payment_id wallet.credit:user_id"
    " wallet.cap:user_id block.add:block_id session.kick:session_id block.lift:block_id session.adjust:session_id"
    " user.edit:user_id user.erase:user_id"
)
SECRETS = ("a new password", "hush", "/private/path")


class Operator:
    """An operator who remembers which routes they have used to change something."""

    def __init__(self, api: Api) -> None:
        self._api = api
        user = api.user(Role.ADMIN)
        self.user_id, self.email = user.user_id, user.email
        self.headers = {**api.login(user), "x-real-ip": IP}
        self.used: set[tuple[str, str]] = set()

    def does(self, method: str, path: str, body: dict[str, Any] | None = None, **ids: str) -> Any:
        self.used.add((method, path))
        answer = self._api.http.request(method, path.format(**ids), json=body, headers=self.headers)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def log(self, **params: str) -> list[dict[str, Any]]:
        """Return this operator's entries, oldest first."""
        chosen = params or {"by_user_id": self.user_id}
        return list(reversed(self._api.get(self.headers, "/audit", **chosen)["items"]))


def work(api: Api, operator: Operator) -> dict[str, str]:
    """Call every route that changes something, and return the ids of the changed resources."""
    body_of_key = {"name": "shop", "scopes": ["credit"], "expires_in_days": 1}
    first = operator.does("POST", "/service-keys", body_of_key)
    key = {"key_id": first["key_id"], "first": first["key"]}
    rotation = {"overlap_hours": 1}
    key["second"] = operator.does("POST", "/service-keys/{key_id}/rotate", rotation, **key)["key"]
    operator.does("DELETE", "/service-keys/{key_id}", **key)
    source = {"mode": "pull", "url": "https://example.org/private/path/live.m3u8?token=hush"}
    stream_id = operator.does("POST", "/streams", {"title": "News", "ingest": source})["stream_id"]
    for method, path, body in (
        ("PATCH", "/streams/{stream_id}", {"title": "Late news"}),
        ("POST", "/streams/{stream_id}/restart", None),
        ("POST", "/streams/{stream_id}/ingest-key", None),
        ("POST", "/streams/{stream_id}/state", {"state": "live"}),
        ("DELETE", "/streams/{stream_id}", None),
    ):
        operator.does(method, path, body, stream_id=stream_id)
    live = api.live_stream()
    operator.does("POST", "/streams/{stream_id}/preview", stream_id=live)
    body = {"email": f"{stream_id}@local", "password": "a new password"}
    user_id = operator.does("POST", "/users", body)["user_id"]
    payment = {"millipoints": 50_000, "payment_id": f"p-{stream_id}", "note": "welcome"}
    payment_id = f"back-{stream_id}"
    operator.does("POST", "/wallets/{user_id}/credit", {**payment, "payment_id": payment_id}, user_id=user_id)
    operator.does("POST", "/payments/{payment_id}/reverse", {"note": "chargeback"}, payment_id=payment_id)
    operator.does("POST", "/wallets/{user_id}/credit", payment, user_id=user_id)
    operator.does("PUT", "/wallets/{user_id}/cap", {"daily_cap_millipoints": 40_000}, user_id=user_id)
    session_id = api.start(bearer(api.try_login(**body)), live).json()["session_id"]
    kick = {"session_id": session_id, "reason": "rude", "block_minutes": 5}
    block_id = operator.does("POST", "/playback/kick", kick)["block"]["block_id"]
    operator.does("DELETE", "/blocks/{block_id}", block_id=block_id)
    adjustment = {"millipoints": 1, "payment_id": f"a-{stream_id}"}
    operator.does("POST", "/sessions/{session_id}/adjust", adjustment, session_id=session_id)
    edit = {"role": "admin", "password": "a new password", "disabled": True}
    operator.does("PATCH", "/users/{user_id}", edit, user_id=user_id)
    operator.does("POST", "/users/{user_id}/erase", user_id=user_id)
    ids = {"stream_id": stream_id, "user_id": user_id, "session_id": session_id, "live": live, "payment_id": payment_id}
    ids["block_id"] = block_id
    return {**ids, **key, "email": body["email"]}


def test_every_action_is_kept_with_what_it_has_changed(api: Api) -> None:
    operator = Operator(api)
    ids = work(api, operator)
    declared = {
        (endpoint.method, endpoint.path)
        for routes in ALL_ROUTES
        for endpoint in routes.endpoints
        if endpoint.roles
        and Role.VIEWER not in endpoint.roles
        and endpoint.method != "GET"
        # A report of the canary changes nothing of people or streams.
        and endpoint.path != "/monitoring/canary"
    }
    assert operator.used == declared, "a route that changes something belongs in this test, and in the log"
    log = operator.log()
    expected = [each.split(":") for each in DONE.split()]
    assert [(entry["action"], entry["target"]) for entry in log] == [(action, ids[on]) for action, on in expected]
    assert {(entry["by_user_id"], entry["ip"]) for entry in log} == {(operator.user_id, IP)}
    # The account was erased at the end, so its email is no longer known.
    assert {(entry["by_email"], entry["user_email"]) for entry in log} == {(operator.email, None)}
    changes = {entry["action"]: (entry["before"], entry["after"]) for entry in log}
    assert changes["stream.edit"] == ({"title": "News"}, {"title": "Late news"})
    assert changes["stream.state"] == ({"desired_state": "stopped"}, {"desired_state": "live"})
    assert changes["wallet.credit"] == ({"balance_millipoints": 0}, {"balance_millipoints": 50_000})
    caps = ({"daily_cap_millipoints": "none"}, {"daily_cap_millipoints": 40_000})
    assert changes["wallet.cap"] == caps
    assert changes["user.edit"] == ({"role": "viewer", "disabled": False}, {"role": "admin", "disabled": True})
    assert changes["stream.create"][1]["sources"] == [{"mode": "pull", "url": "https://example.org/…"}]
    text = json.dumps(log)
    assert list(changes["user.erase"][1]) == ["erased_at_ms"] and f"{ids['email']}" not in text
    secrets = (*SECRETS, *(ids[each].rpartition("_")[2] for each in ("first", "second")))
    assert not [secret for secret in secrets if secret in text]
    assert changes["payment.reverse"] == ({}, {"reversed_millipoints": 50_000, "shortfall_millipoints": 0})
    assert changes["key.create"][1].keys() == {"name", "scopes", "expires_at_ms"}
    assert [entry["details"] for entry in log if entry["action"] == "user.edit"] == [{"password": "reset"}]
    about_user = [
        "user.create",
        "wallet.credit",
        "payment.reverse",
        "wallet.credit",
        "wallet.cap",
        "block.add",
        "session.kick",
        "block.lift",
        "session.adjust",
        "user.edit",
        "user.erase",
    ]
    assert [entry["action"] for entry in operator.log(user_id=ids["user_id"])] == about_user
    newest = api.all_items(operator.headers, "/audit", limit=3)[: len(about_user)]
    assert [entry["action"] for entry in newest] == about_user[::-1]


def test_what_is_refused_or_only_tried_dry_is_no_action(api: Api) -> None:
    operator = Operator(api)
    stream_id = api.live_stream()
    for method, path, body in (
        ("PATCH", f"/streams/{stream_id}?dry_run=true", {"title": "x"}),
        ("PATCH", f"/users/{'u_' + 'b' * 20}", {"disabled": True}),
        ("POST", "/users", {"email": "x"}),
    ):
        api.http.request(method, path, json=body, headers=operator.headers)
    both = {"user_id": operator.user_id, "by_user_id": operator.user_id}
    assert api.http.get("/audit", params=both, headers=operator.headers).status_code == 400
    assert operator.log() == []


def test_an_entry_that_cannot_be_kept_is_logged_and_counted(log_lines: Callable[[], list[Any]]) -> None:
    class Full:
        def add(self, entry: object) -> None:
            raise StoreUnavailable("full")

    services, operator = memory_services(), Actor(user_id="u_operator", ip=IP)
    services.stores.audit_log = Full()
    services.audit.record(operator, Action(name="user.edit", target="u_x", after={"disabled": True}))
    assert services.stores.counters.counts["audit_failures"] == 1
    [line] = log_lines()
    assert line["level"] == "ERROR" and IP not in json.dumps(line)
    assert (line["entry"]["target"], line["entry"]["after"]) == ("u_x", {"disabled": True})
