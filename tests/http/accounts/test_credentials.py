"""Another password, logging out everywhere, and operators made by command: what ends, and what old tokens still do."""

import subprocess

import httpx
import pytest

from chalicelib.domain.access.clients import Client
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.services.money.session_opener import SessionOpener
from tests.http.conftest import PASSWORD, Api, assert_problem, bearer

NEW = "another good password"


def refreshed(api: Api, login: httpx.Response) -> int:
    return api.refresh(login.json()["refresh_token"]).status_code


def change(api: Api, headers: dict[str, str], current: str = PASSWORD, new: str = NEW) -> httpx.Response:
    return api.http.post("/me/password", json={"current_password": current, "new_password": new}, headers=headers)


def assert_over(api: Api, old: httpx.Response, session_id: str, reason: str) -> None:
    """Neither the old login nor its session can change anything."""
    headers = bearer(old)
    assert refreshed(api, old) == 401
    assert api.beat(headers, session_id, 2).json().get("end_reason") == reason
    record = api.services.stores.sessions.get(session_id)
    expected = 403 if reason == "kicked" and api.services.stores.users.get(record.user_id).disabled else 401
    refusals = [
        api.start(headers, api.live_stream()),
        api.http.get("/me", headers=headers),
        api.http.put("/me/wallet/cap", json={"daily_cap_millipoints": 1}, headers=headers),
        change(api, headers),
        api.http.post("/auth/logout-everywhere", headers=headers),
    ]
    assert [answer.status_code for answer in refusals] == [expected] * len(refusals)


def test_another_password_ends_everything_but_the_login_that_it_answers(api: Api) -> None:
    user = api.user(millipoints=100_000)
    mine, elsewhere = api.try_login(user.email), api.try_login(user.email)
    session_id = api.watch(bearer(elsewhere))
    fresh = change(api, bearer(mine))
    assert fresh.status_code == 200, fresh.text
    assert_over(api, elsewhere, session_id, "viewer_stopped")
    assert refreshed(api, mine) == 401
    assert api.start(bearer(fresh), api.live_stream()).status_code == 201
    assert refreshed(api, fresh) == 200
    assert (api.try_login(user.email).status_code, api.try_login(user.email, NEW).status_code) == (401, 200)


def test_logging_out_everywhere_ends_everything(api: Api) -> None:
    user = api.user(millipoints=100_000)
    mine, elsewhere = api.try_login(user.email), api.try_login(user.email)
    session_id = api.watch(bearer(elsewhere))
    out = api.http.post("/auth/logout-everywhere", headers=bearer(mine))
    assert (out.status_code, out.content) == (204, b"")
    for old in (mine, elsewhere):
        assert_over(api, old, session_id, "viewer_stopped")
    assert api.start(bearer(api.try_login(user.email)), api.live_stream()).status_code == 201


@pytest.mark.parametrize("body", [{"password": NEW}, {"disabled": True}])
def test_a_reset_and_disabling_end_everything(api: Api, body: dict[str, object]) -> None:
    user = api.user(millipoints=100_000)
    old = api.try_login(user.email)
    session_id = api.watch(bearer(old))
    answer = api.http.patch(f"/users/{user.user_id}", json=body, headers=api.admin())
    assert answer.status_code == 200, answer.text
    assert_over(api, old, session_id, "kicked")
    assert api.try_login(user.email, NEW).status_code == (200 if "password" in body else 401)


def test_a_wrong_current_password_changes_nothing_and_is_counted_as_a_wrong_login(api: Api) -> None:
    user = api.user()
    headers = {**bearer(api.try_login(user.email)), "x-real-ip": "192.0.2.77"}
    answers = [change(api, headers, current="a wrong one") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429]
    assert answers[0].json()["code"] == "wrong_password"
    assert change(api, headers).status_code == 429
    assert api.try_login(user.email, **{"x-real-ip": "192.0.2.77"}).status_code == 429
    assert api.try_login(user.email).status_code == 200


def test_passwords_have_rules(api: Api) -> None:
    user = api.user()
    headers = bearer(api.try_login(user.email))
    rules = {"short": "8 characters", "x" * 201: "200 characters", user.email.upper(): "email", PASSWORD: "differ"}
    for new, said in rules.items():
        answer = change(api, headers, new=new)
        assert answer.status_code == 400
        [error] = answer.json()["errors"]
        assert error["field"] == "new_password" and said in error["detail"], error
    admin = api.admin()
    for method, path, body in (
        ("PATCH", f"/users/{user.user_id}", {"password": user.email}),
        ("POST", "/users", {"email": "long-enough@local", "password": "Long-Enough@local"}),
    ):
        answer = api.http.request(method, path, json=body, headers=admin)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "password")


@pytest.mark.parametrize("disabling", [True, False])
def test_a_start_that_was_under_way_takes_itself_back(
    api: Api, disabling: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = api.user(millipoints=100_000)
    services, stream_id, real = api.services, api.live_stream(), SessionOpener.open
    opened: list[str] = []

    def logins_end_just_before(self: SessionOpener, user_id: str, record: SessionRecord, *rest: int) -> object:
        if disabling:
            services.accounts.change(user_id, disabled=True)
        else:
            services.credentials.logout_everywhere(user_id)
        opened.append(record.session_id)
        return real(self, user_id, record, *rest)

    monkeypatch.setattr(SessionOpener, "open", logins_end_just_before)
    with pytest.raises(Exception, match="disabled" if disabling else "was ended"):
        services.playback.start(user.user_id, stream_id, client=Client(ip=""), replace=False, max_points=None)
    record = services.stores.sessions.get(opened[0])
    assert record and not record.active
    assert services.ledger.wallet(user.user_id).balance_millipoints == 100_000


@pytest.mark.parametrize("changes", [{"disabled": True}, {"role": "operator"}])
def test_no_admin_locks_themselves_out(api: Api, changes: dict[str, object]) -> None:
    operator = api.user(Role.ADMIN)
    headers = api.login(operator)
    assert_problem(api.http.patch(f"/users/{operator.user_id}", json=changes, headers=headers), 409, "conflict")
    kept = api.services.stores.users.get(operator.user_id)
    assert kept is not None and (kept.role, kept.disabled) == (Role.ADMIN, False)
    assert api.http.patch(f"/users/{operator.user_id}", json={"role": "admin"}, headers=headers).status_code == 200
    assert api.http.patch(f"/users/{operator.user_id}", json=changes, headers=api.admin()).status_code == 200


def add(api: Api, email: str, password: str) -> subprocess.CompletedProcess[str]:
    return api.command("infra.commands.add_admin", email, stdin=password + "\n")


def administers(api: Api, email: str, password: str) -> bool:
    return api.http.get("/audit", headers=bearer(api.try_login(email, password))).status_code == 200


def test_it_makes_an_admin(api: Api) -> None:
    email = f"{new_session_id()}@local"
    done = add(api, email.upper(), NEW)
    assert done.returncode == 0 and email in done.stdout.lower(), done.stderr
    assert administers(api, email, NEW)


def test_it_lets_somebody_in_again_who_was_locked_out(api: Api) -> None:
    user = api.user(Role.ADMIN)
    old = api.login(user)
    api.services.accounts.change(user.user_id, disabled=True, role=Role.VIEWER)
    assert add(api, user.email, NEW).returncode == 0
    assert administers(api, user.email, NEW)
    assert api.http.get("/audit", headers=old).status_code == 401
    (entry,) = api.services.audit.listing(user_id=user.user_id, by_user_id=None, limit=9, cursor=None).items
    assert (entry.action.name, entry.by_user_id) == ("user.edit", "operator-command")
    assert (entry.action.after, entry.action.details) == ({"role": "admin", "disabled": False}, {"password": "reset"})


@pytest.mark.parametrize(("email", "password"), [("no email", NEW), ("x@local", ""), ("x@local", "short")])
def test_what_cannot_be_is_refused_and_changes_nothing(api: Api, email: str, password: str) -> None:
    done = add(api, email, password)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("No account became an admin: ") and len(done.stderr.splitlines()) == 1
    assert api.services.stores.users.by_email("x@local") is None
    assert PASSWORD not in done.stderr
