"""Erasure of a person over HTTP: no table keeps an address, and every sum stays."""

import json
from functools import partial
from typing import Any

from chalicelib.adapters.aws import client
from chalicelib.domain.access.clients import audit_key, start_key
from chalicelib.domain.accounts.users import Role, User
from infra.schema import TABLES
from tests.http.conftest import PASSWORD, Api, assert_problem
from tests.http.money.test_reconciling import make_due, row_of, serve

HOME, AGENT = "192.0.2.77", "mpv of a person"


def tables_with(api: Api, *texts: str) -> set[str]:
    """Return the tables that contain one of the texts."""
    found = set()
    for name in TABLES:
        pages = client("dynamodb").get_paginator("scan").paginate(TableName=api.services.settings.table_prefix + name)
        rows = json.dumps([page["Items"] for page in pages], default=str)
        found |= {name for text in texts if text in rows}
    return found


def watched(api: Api, user: User, **settings: object) -> tuple[dict[str, str], str]:
    """Return the headers of a viewer, and that viewer's active session."""
    headers = {**api.login(user), "x-real-ip": HOME, "user-agent": AGENT}
    return headers, api.watch(headers, **settings)


def listed(api: Api, admin: dict[str, str], user_id: str, state: str) -> list[dict[str, Any]]:
    return list(api.get(admin, "/sessions", user_id=user_id, state=state)["items"])


def test_addresses_stand_in_one_table_and_go_without_what_they_belong_to(api: Api) -> None:
    operator, viewer = api.user(Role.ADMIN), api.user(millipoints=100_000)
    admin = {**api.login(operator), "x-real-ip": HOME, "user-agent": AGENT}
    _, session_id = watched(api, viewer)
    api.end(admin, session_id, "kick", reason="")
    assert tables_with(api, HOME, AGENT) == {"clients"}
    [session] = listed(api, admin, viewer.user_id, "ended")
    assert (session["ip"], session["user_agent"]) == (HOME, AGENT)
    [entry] = api.get(admin, "/audit", user_id=viewer.user_id)["items"]
    assert entry["ip"] == HOME
    # Their days are over.
    for key in (start_key(session_id), audit_key(entry["audit_id"])):
        api.services.stores.clients.delete(key)
    [session] = listed(api, admin, viewer.user_id, "ended")
    assert (session["ip"], session["user_agent"], session["end_reason"]) == (None, None, "kicked")
    [kept] = api.get(admin, "/audit", user_id=viewer.user_id)["items"]
    assert kept == {**entry, "ip": None}


def test_an_erased_person_leaves_their_sums_and_nothing_else(api: Api) -> None:
    admin, viewer = api.admin(), api.user(millipoints=1_000_000_000)
    user_id = viewer.user_id
    headers, ended = watched(api, viewer, rate_millipoints_per_minute=60_000_000)
    api.end(headers, ended)
    _, running = watched(api, viewer, rate_millipoints_per_minute=60_000_000)
    refresh = api.try_login(viewer.email).json()["refresh_token"]
    lines = api.services.statements.statement(user_id, 0).lines
    serve(api, ended)

    answers = [api.http.post(f"/users/{user_id}/erase", headers=admin) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    assert answers[0].json() == answers[1].json() and answers[0].json()["user_id"] == user_id

    assert tables_with(api, viewer.email, viewer.password_hash, HOME, AGENT) == set()
    assert (api.try_login(viewer.email).status_code, api.refresh(refresh).status_code) == (401, 401)
    assert api.http.get("/me", headers=headers).status_code in (401, 403)
    assert api.start(headers, api.live_stream()).status_code in (401, 403)
    sessions = {each["session_id"]: each for each in listed(api, admin, user_id, "ended")}
    assert {name: each["end_reason"] for name, each in sessions.items()} == {ended: "viewer_stopped", running: "kicked"}
    assert {each["ip"] for each in sessions.values()} == {None}
    assert listed(api, admin, user_id, "active") == []

    # Recompute the chain line by line: only the end of the running session was added.
    after = api.services.statements.statement(user_id, 0)
    assert after.lines[: len(lines)] == lines and len(after.lines) == len(lines) + 1
    spent = sum(int(each["charged_millipoints"]) for each in sessions.values())
    balance = api.get(admin, f"/wallets/{user_id}")["balance_millipoints"]
    assert balance == after.closing.balance_millipoints == 1_000_000_000 - spent
    make_due(api, ended)
    api.services.reconciliation.run()
    row = row_of(api, admin, ended)
    assert row and row["reason"] != "ledger_mismatch"
    # The settlement goes on after the erasure, without a debt.
    [settled] = [each for each in listed(api, admin, user_id, "ended") if each["session_id"] == ended]
    assert settled["settled_at_ms"] and row["net_millipoints"] == settled["charged_millipoints"]
    assert api.get(admin, f"/wallets/{user_id}")["debt_millipoints"] == 0

    log = api.get(admin, "/audit", user_id=user_id)["items"]
    assert [entry["action"] for entry in log] == ["user.erase", "user.erase"]
    assert viewer.email not in json.dumps(log)
    registered = api.http.post("/users", json={"email": viewer.email, "password": PASSWORD}, headers=admin)
    assert registered.status_code == 201 and registered.json()["user_id"] != user_id
    assert api.try_login(viewer.email).status_code == 200


def test_who_is_not_there_and_oneself_are_not_erased(api: Api) -> None:
    operator = api.user(Role.ADMIN)
    headers = api.login(operator)
    assert_problem(api.http.post(f"/users/{'u_' + 'b' * 20}/erase", headers=headers), 404, "user_not_found")
    assert_problem(api.http.post(f"/users/{operator.user_id}/erase", headers=headers), 409, "conflict")


def test_the_command_does_the_same_by_email_or_id(api: Api) -> None:
    run = partial(api.command, "infra.commands.erase_user")
    viewer = api.user()
    by_email = run(viewer.email.upper())
    assert by_email.returncode == 0 and viewer.user_id in by_email.stdout, by_email.stderr
    assert tables_with(api, viewer.email) == set()
    assert run(viewer.user_id).returncode == 0
    missing = run(viewer.email)
    assert (missing.returncode, run().returncode) == (1, 2) and "no account" in missing.stderr
    log = api.services.audit.listing(user_id=viewer.user_id, by_user_id=None, limit=9, cursor=None).items
    assert {(entry.action.name, entry.by_user_id) for entry in log} == {("user.erase", "operator-command")}
