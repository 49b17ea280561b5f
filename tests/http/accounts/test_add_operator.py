"""The command that creates an operator: the first of a stage, and one after all others were lost."""

import subprocess

import pytest

from chalicelib.domain.accounts.users import Role
from chalicelib.domain.ids import new_session_id
from tests.http.conftest import PASSWORD, Api, bearer

NEW = "another good password"


def add(api: Api, email: str, password: str) -> subprocess.CompletedProcess[str]:
    return api.command("infra.commands.add_operator", email, stdin=password + "\n")


def operates(api: Api, email: str, password: str) -> bool:
    return api.http.get("/users", headers=bearer(api.try_login(email, password))).status_code == 200


def test_it_makes_an_operator(api: Api) -> None:
    email = f"{new_session_id()}@local"
    done = add(api, email.upper(), NEW)
    assert done.returncode == 0 and email in done.stdout.lower(), done.stderr
    assert operates(api, email, NEW)


def test_it_lets_somebody_in_again_who_was_locked_out(api: Api) -> None:
    user = api.user(Role.ADMIN)
    old = api.login(user)
    api.services.accounts.change(user.user_id, disabled=True, role=Role.VIEWER)
    assert add(api, user.email, NEW).returncode == 0
    assert operates(api, user.email, NEW)
    assert api.http.get("/users", headers=old).status_code == 401
    (entry,) = api.services.audit.listing(user_id=user.user_id, by_user_id=None, limit=9, cursor=None).items
    assert (entry.action.name, entry.by_user_id) == ("user.edit", "operator-command")
    assert (entry.action.after, entry.action.details) == ({"role": "admin", "disabled": False}, {"password": "reset"})


@pytest.mark.parametrize(("email", "password"), [("no email", NEW), ("x@local", ""), ("x@local", "short")])
def test_what_cannot_be_is_refused_and_changes_nothing(api: Api, email: str, password: str) -> None:
    done = add(api, email, password)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("No account became an operator: ") and len(done.stderr.splitlines()) == 1
    assert api.services.stores.users.by_email("x@local") is None
    assert PASSWORD not in done.stderr
