"""The list of accounts and one account, for the staff."""

import pytest

from chalicelib.domain.accounts.users import Role
from chalicelib.domain.ids import new_session_id
from tests.http.conftest import PASSWORD, Api, assert_problem


def test_accounts_are_found_by_email_id_and_role(api: Api) -> None:
    admin, begins = api.admin(), new_session_id()
    made = [
        api.services.accounts.create(f"{begins}{n}@Local", PASSWORD, role)
        for n, role in enumerate((Role.VIEWER, Role.FINANCE, Role.VIEWER))
    ]
    api.services.accounts.change(made[2].user_id, disabled=True)

    def ids(**query: object) -> list[str]:
        return [each["user_id"] for each in api.all_items(admin, "/users", limit=2, **query)]

    everyone = [each.user_id for each in made]
    assert ids(q=begins.upper()) == everyone
    assert ids(q=begins, role="finance") == everyone[1:2]
    assert ids(q=begins, disabled="true") == everyone[2:]
    assert ids(q=begins, disabled="false") == everyone[:2]
    assert ids(q=everyone[1]) == everyone[1:2]
    assert ids(q=everyone[1], role="viewer") == ids(q="u_" + "2" * 20) == []


def test_one_account_is_read_by_any_of_the_staff(api: Api) -> None:
    user = api.user()
    for role in (Role.OPERATOR, Role.FINANCE, Role.ADMIN):
        found = api.get(api.login(api.user(role)), f"/users/{user.user_id}")
        assert (found["user_id"], found["email"], found["role"]) == (user.user_id, user.email, "viewer")
        assert "password_hash" not in found
    assert_problem(api.http.get(f"/users/{'u_' + 'b' * 20}", headers=api.admin()), 404, "user_not_found")
    # The fixed path is another route.
    assert api.get(api.admin(), "/users/lookup", email=user.email)["user_id"] == user.user_id


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        ({"q": "a b"}, "q", "1 to 255 characters"),
        ({"q": "x" * 256}, "q", "1 to 255 characters"),
        ({"role": "owner"}, "role", "'viewer', 'operator', 'finance' or 'admin'"),
        ({"disabled": "maybe"}, "disabled", "boolean"),
        ({"limit": 201}, "limit", "200"),
    ],
)
def test_a_wrong_filter_is_named_with_what_is_allowed(api: Api, query: dict[str, object], field: str, allowed: str):
    answer = api.http.get("/users", params=query, headers=api.admin())  # type: ignore[arg-type]
    problem = assert_problem(answer, 400, "invalid_request")
    assert problem["errors"][0]["field"] == field and allowed in problem["errors"][0]["detail"], problem
