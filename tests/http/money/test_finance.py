"""What finance does with any user's money: the list of payments, statements and daily caps."""

import pytest

from chalicelib.domain.accounts.users import Role
from chalicelib.domain.ids import new_session_id
from tests.http.conftest import Api, assert_problem


def test_payments_are_found_by_user_source_reference_and_time(api: Api) -> None:
    finance, user, begins = api.login(api.user(Role.FINANCE)), api.user(), new_session_id()[:12]
    for number, source in enumerate(("shop", "bank", "shop")):
        body = {"millipoints": 1_000, "payment_id": f"{begins}-{number}", "source": source}
        path = f"/wallets/{user.user_id}/credit"
        assert api.http.post(path, json=body, headers=finance).status_code == 200
    paid = [f"{begins}-{number}" for number in range(3)]

    def ids(**query: object) -> list[str]:
        return [each["payment_id"] for each in api.all_items(finance, "/payments", limit=1, **query)]

    assert ids(user_id=user.user_id) == paid[::-1]
    assert ids(user_id=user.user_id, source="shop") == [paid[2], paid[0]]
    assert ids(q=begins) == paid and ids(q=paid[1]) == paid[1:2]
    assert ids(q=begins, source="bank") == paid[1:2]
    listed = api.get(finance, "/payments", user_id=user.user_id)["items"]
    assert api.get(finance, "/payments")["items"][:3] == listed
    assert listed[0] == api.get(finance, f"/payments/{paid[2]}")
    at_ms = listed[0]["at_ms"]
    assert paid[2] in ids(user_id=user.user_id, from_ms=at_ms) and paid[2] not in ids(user_id=user.user_id, to_ms=at_ms)


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        ({"q": "x"}, "q", "2 to 64 letters"),
        ({"q": "a b"}, "q", "2 to 64 letters"),
        ({"user_id": "me"}, "user_id", "u_ and 20"),
        ({"source": "-"}, "source", "1 to 64 letters"),
        ({"from_ms": 2, "to_ms": 1}, "query", "from_ms must be less than to_ms"),
    ],
)
def test_a_wrong_filter_is_named_with_what_is_allowed(api: Api, query: dict[str, object], field: str, allowed: str):
    answer = api.http.get("/payments", params=query, headers=api.admin())  # type: ignore[arg-type]
    problem = assert_problem(answer, 400, "invalid_request")
    assert problem["errors"][0]["field"] == field and allowed in problem["errors"][0]["detail"], problem


def test_a_statement_of_any_user_is_the_users_own(api: Api) -> None:
    user = api.user(millipoints=5_000)
    path, finance = f"/wallets/{user.user_id}/ledger/export", api.login(api.user(Role.FINANCE))
    own, theirs = api.get(api.login(user), "/me/ledger/export"), api.get(finance, path)
    assert {**own, "created_at_ms": 0} == {**theirs, "created_at_ms": 0}
    assert theirs["closing"]["balance_millipoints"] == 5_000
    table = api.http.get(path, params={"format": "csv"}, headers=finance)
    assert table.headers["content-type"] == "text/csv; charset=utf-8" and len(table.text.splitlines()) == 3
    assert api.get(finance, path, after_version=1)["lines"] == []
    assert_problem(api.http.get(f"/wallets/{'u_' + 'b' * 20}/ledger/export", headers=finance), 404, "user_not_found")


def test_finance_sets_and_removes_the_cap_of_any_user(api: Api) -> None:
    user = api.user(millipoints=50_000)
    path, finance = f"/wallets/{user.user_id}/cap", api.login(api.user(Role.FINANCE))
    capped = api.http.put(path, json={"daily_cap_millipoints": 0}, headers=finance).json()
    assert (capped["user_id"], capped["daily_cap_millipoints"]) == (user.user_id, 0)
    assert_problem(api.start(api.login(user), api.live_stream()), 402, "daily_cap_reached")
    free = api.http.put(path, json={"daily_cap_millipoints": None}, headers=finance).json()
    assert free["daily_cap_millipoints"] is None
    entries = api.get(api.admin(), "/audit", user_id=user.user_id)["items"]
    changes = [(each["before"], each["after"]) for each in entries if each["action"] == "wallet.cap"]
    none, zero = {"daily_cap_millipoints": "none"}, {"daily_cap_millipoints": 0}
    assert changes == [(zero, none), (none, zero)]
    wrong = api.http.put(path, json={"daily_cap_millipoints": -1}, headers=finance)
    assert wrong.json()["errors"][0]["field"] == "daily_cap_millipoints"
    unknown = api.http.put(f"/wallets/{'u_' + 'b' * 20}/cap", json={"daily_cap_millipoints": 1}, headers=finance)
    assert_problem(unknown, 404, "user_not_found")
