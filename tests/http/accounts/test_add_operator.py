"""The command that creates an operator: the first of a stage, and one after all others were lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.domain.accounts.users import Role
from chalicelib.domain.ids import new_session_id
from tests.http.conftest import PASSWORD, Api

ROOT = Path(__file__).parents[3]
NEW = "another good password"


def add(email: str, password: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.commands.add_operator", email],
        cwd=ROOT,
        env=dict(os.environ),
        input=password + "\n",
        capture_output=True,
        text=True,
        timeout=60,
    )


def operates(api: Api, email: str, password: str) -> bool:
    login = api.http.post("/auth/login", json={"email": email, "password": password})
    assert login.status_code == 200, login.text
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    return api.http.get("/users", headers=headers).status_code == 200


def test_it_makes_an_operator(api: Api) -> None:
    email = f"{new_session_id()}@local"
    done = add(email.upper(), NEW)
    assert done.returncode == 0 and email in done.stdout.lower(), done.stderr
    assert operates(api, email, NEW)


def test_it_lets_somebody_in_again_who_was_locked_out(api: Api) -> None:
    user = api.user(Role.ADMIN)
    old = api.login(user)
    api.services.accounts.change(user.user_id, disabled=True, role=Role.VIEWER)
    assert add(user.email, NEW).returncode == 0
    assert operates(api, user.email, NEW)
    assert api.http.get("/users", headers=old).status_code == 401
    (entry,) = api.services.audit.listing(user_id=user.user_id, by_user_id=None, limit=9, cursor=None).items
    assert (entry.action.name, entry.by_user_id) == ("user.edit", "operator-command")
    assert entry.action.after == {"role": "admin", "disabled": False}
    assert entry.action.details == {"password": "reset"}


@pytest.mark.parametrize(("email", "password"), [("no email", NEW), ("x@local", ""), ("x@local", "short")])
def test_what_cannot_be_is_refused_and_changes_nothing(api: Api, email: str, password: str) -> None:
    done = add(email, password)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("No account became an operator: ") and len(done.stderr.splitlines()) == 1
    assert api.services.stores.users.by_email("x@local") is None
    assert PASSWORD not in done.stderr
