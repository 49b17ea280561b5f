"""Payments over HTTP, by operators and service keys: credits, look-ups and reversals, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from chalicelib.domain.accounts.users import Role, User
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from player.statement.json_format import statement_from
from player.statement.verification import verify
from tests.http.accounts.test_service_keys import new_key, with_key
from tests.http.conftest import PASSWORD, Api, assert_problem

BIG = "x" * 10_240


@pytest.fixture(scope="module")
def shop(api: Api) -> dict[str, str]:
    """The headers of a key that credits."""
    return with_key(new_key(api, "credit"))


def pay(api: Api, headers: dict[str, str], user: User, millipoints: int, **more: object) -> httpx.Response:
    body = {"millipoints": millipoints, "payment_id": f"evt-{new_session_id()}", **more}
    return api.http.post(f"/wallets/{user.user_id}/credit", json=body, headers=headers)


def paid(api: Api, headers: dict[str, str], user: User, millipoints: int, **more: object) -> str:
    """The id of a payment that was made."""
    payment_id = str(more.pop("payment_id", f"evt-{new_session_id()}"))
    answer = pay(api, headers, user, millipoints, payment_id=payment_id, **more)
    assert answer.status_code == 200, answer.text
    return payment_id


def reverse(api: Api, headers: dict[str, str], payment_id: str, **body: object) -> httpx.Response:
    return api.http.post(f"/payments/{payment_id}/reverse", json=body, headers=headers)


def taken_back(api: Api, headers: dict[str, str], payment_id: str, **body: object) -> dict[str, Any]:
    answer = reverse(api, headers, payment_id, **body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def balance(api: Api, user: User) -> int:
    return int(api.get(api.admin(), f"/wallets/{user.user_id}")["balance_millipoints"])


def test_a_key_finds_a_user_and_nothing_more(api: Api, shop: dict[str, str]) -> None:
    user = api.user(millipoints=7_000)
    found = {"user_id": user.user_id, "disabled": False}
    assert api.get(shop, "/users/lookup", email=user.email.upper()) == found
    assert api.get(shop, "/users/lookup", user_id=user.user_id) == found
    assert api.get(api.admin(), "/users/lookup", email=user.email) == found
    api.http.patch(f"/users/{user.user_id}", json={"disabled": True}, headers=api.admin())
    assert api.get(shop, "/users/lookup", user_id=user.user_id)["disabled"] is True
    for params in ({"email": "no-one@local"}, {"user_id": "u_" + "a" * 20}):
        assert_problem(api.http.get("/users/lookup", params=params, headers=shop), 404, "user_not_found")
    both = {"email": user.email, "user_id": user.user_id}
    for params, field in (({}, "query"), (both, "query"), ({"email": "x"}, "email"), ({"email": BIG[:500]}, "email")):
        answer = api.http.get("/users/lookup", params=params, headers=shop)
        assert assert_problem(answer, 400, "invalid_request")["errors"][0]["field"] == field


def test_a_key_credits_and_sees_its_payment_but_not_the_wallet(api: Api, shop: dict[str, str]) -> None:
    user = api.user(millipoints=7_000)
    answer = pay(api, shop, user, 5_000, payment_id=f"evt-{user.user_id}", note="5 points")
    payment = answer.json()
    assert {name: payment[name] for name in ("user_id", "millipoints", "source", "note", "reversed_at_ms")} == {
        "user_id": user.user_id,
        "millipoints": 5_000,
        "source": "shop",
        "note": "5 points",
        "reversed_at_ms": None,
    }
    assert "balance_millipoints" not in payment
    assert pay(api, shop, user, 5_000, payment_id=f"evt-{user.user_id}", note="5 points").json() == payment
    assert api.get(shop, f"/payments/evt-{user.user_id}") == payment
    assert api.get(api.admin(), f"/payments/evt-{user.user_id}") == payment
    assert balance(api, user) == 12_000
    # An operator gets the wallet.
    assert pay(api, api.admin(), user, 1).json()["balance_millipoints"] == 12_001


@pytest.mark.parametrize("millipoints", [0, -1, -5_000, -MILLIPOINTS_MAX, MILLIPOINTS_MAX + 1, 10**30, 1.5, "1", None])
def test_a_wrong_amount_changes_nothing(api: Api, shop: dict[str, str], millipoints: object) -> None:
    user = api.user(millipoints=5_000)
    problem = assert_problem(pay(api, shop, user, millipoints), 400, "invalid_request")  # type: ignore[arg-type]
    assert "millipoints" in problem["detail"] and balance(api, user) == 5_000


def test_a_wallet_has_a_maximum(api: Api, shop: dict[str, str]) -> None:
    user = api.user(millipoints=1)
    assert str(MILLIPOINTS_MAX) in assert_problem(pay(api, shop, user, MILLIPOINTS_MAX), 409, "wallet_full")["detail"]


@pytest.mark.parametrize(
    ("field", "value", "bound"),
    [
        ("payment_id", BIG, "1 to 64"),
        ("payment_id", "", "1 to 64"),
        ("payment_id", "r.x", "1 to 64"),
        ("source", BIG, "1 to 64"),
        ("source", "", "1 to 64"),
        ("note", BIG, "200"),
    ],
)
def test_texts_of_a_payment_are_bounded(api: Api, shop: dict[str, str], field: str, value: str, bound: str) -> None:
    user = api.user()
    [error] = assert_problem(pay(api, shop, user, 1, **{field: value}), 400, "invalid_request")["errors"]
    assert error["field"] == field and bound in error["detail"]
    assert balance(api, user) == 0


@pytest.mark.parametrize("payment_id", ["x" * 65, "a.b", "x" * 4_000])
def test_a_payment_of_another_form_is_refused_with_the_bound(api: Api, shop: dict[str, str], payment_id: str) -> None:
    for answer in (reverse(api, shop, payment_id), api.http.get(f"/payments/{payment_id}", headers=shop)):
        [error] = assert_problem(answer, 400, "invalid_request")["errors"]
        assert error["field"] == "payment_id" and "1 to 64" in error["detail"]


def test_wrong_users_are_not_credited(api: Api, shop: dict[str, str]) -> None:
    for user_id in ("u_" + "a" * 20, "u_short", BIG[:4_000]):
        answer = api.http.post(f"/wallets/{user_id}/credit", json={"millipoints": 1, "payment_id": "p"}, headers=shop)
        assert answer.status_code == 404
    assert_problem(api.http.get("/payments/p", headers=shop), 404, "payment_not_found")


def test_the_same_id_with_other_parameters_names_them(api: Api, shop: dict[str, str]) -> None:
    user, other = api.user(), api.user()
    payment_id = paid(api, shop, user, 5_000, note="first")
    same: dict[str, Any] = {"payment_id": payment_id, "note": "first"}
    for answer, names in (
        (pay(api, shop, user, 4_999, **same), ["millipoints"]),
        (pay(api, shop, other, 5_000, **same), ["user_id"]),
        (pay(api, shop, user, 5_000, payment_id=payment_id), ["note"]),
        (pay(api, api.admin(), user, 5_000, **same), ["source"]),
        (pay(api, shop, other, 1, **same, source="mail"), ["user_id", "millipoints", "source"]),
    ):
        problem = assert_problem(answer, 409, "payment_mismatch")
        assert problem["parameters"] == names and all(name in problem["detail"] for name in names)
    assert pay(api, api.admin(), user, 5_000, **same, source="shop").status_code == 200
    session_id = api.watch(headers := api.login(user))
    api.end(headers, session_id)
    path, body = f"/sessions/{session_id}/adjust", {"millipoints": 5_000, **same}
    problem = assert_problem(api.http.post(path, json=body, headers=api.admin()), 409, "payment_mismatch")
    assert problem["parameters"] == ["session_id", "source"]
    assert (balance(api, other), api.get(shop, f"/payments/{payment_id}")["millipoints"]) == (0, 5_000)


def test_a_reversal_takes_back_what_is_there_and_is_a_line_of_the_ledger(api: Api, shop: dict[str, str]) -> None:
    headers = api.login(user := api.user())
    payment_id = paid(api, shop, user, 20_000)
    cap = api.http.put("/me/wallet/cap", json={"daily_cap_millipoints": 50_000}, headers=headers)
    assert cap.status_code == 200
    api.watch(headers)
    before = api.get(headers, "/me/wallet")
    done = taken_back(api, shop, payment_id, note="chargeback 17")
    assert (done["reversed_millipoints"], done["shortfall_millipoints"]) == (10_000, 10_000)
    assert done["reversed_by_user_id"] == done["by_user_id"] and done["reversal_note"] == "chargeback 17"
    assert api.get(shop, f"/payments/{payment_id}") == done
    wallet = api.get(headers, "/me/wallet")
    assert (wallet["balance_millipoints"], wallet["version"]) == (0, before["version"] + 1)
    # It is no spending, and what it lacked is no debt: the next payment is whole.
    assert wallet["spent_today_millipoints"] == before["spent_today_millipoints"] == 10_000
    [line] = api.get(headers, "/me/ledger", limit=1)["items"]
    assert (line["kind"], line["entry_id"], line["delta_millipoints"]) == ("reversal", f"r.{payment_id}", -10_000)
    assert (line["payment_id"], line["note"], line["session_id"]) == (payment_id, "chargeback 17", None)
    paid(api, shop, user, 3_000)
    # Again, also by another caller and with another note: the same answer, and nothing more is taken.
    for again in (taken_back(api, shop, payment_id), taken_back(api, api.admin(), payment_id, note="other")):
        assert again == done
    assert balance(api, user) == 3_000
    statement = api.get(headers, "/me/ledger/export")
    assert verify(statement_from(statement)).end.balance_millipoints == 3_000
    assert [each["kind"] for each in statement["lines"]] == ["credit", "lease", "reversal", "credit"]
    assert statement["closing"]["balance_millipoints"] == 3_000
    # The id stays used up: crediting it again adds nothing.
    assert pay(api, shop, user, 20_000, payment_id=payment_id).json() == done
    assert balance(api, user) == 3_000


def test_reversals_at_once_take_back_once(api: Api, shop: dict[str, str]) -> None:
    user = api.user(millipoints=4_000)
    payment_id = paid(api, shop, user, 10_000)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: reverse(api, shop, payment_id), range(12)))
    # The store may be too busy for one of them; then nothing was changed by it.
    assert {answer.status_code for answer in answers} <= {200, 503}
    done = [answer.json() for answer in answers if answer.status_code == 200]
    assert done and all(each == done[0] for each in done)
    assert balance(api, user) == 4_000


def test_what_cannot_be_reversed_changes_nothing(api: Api, shop: dict[str, str]) -> None:
    headers = api.login(user := api.user(millipoints=50_000))
    session_id = api.watch(headers)
    api.end(headers, session_id)
    removed = paid(api, api.admin(), user, -1_000)
    given = {"millipoints": 1, "payment_id": f"a-{session_id}"}
    assert api.http.post(f"/sessions/{session_id}/adjust", json=given, headers=api.admin()).status_code == 200
    mine, of_operator = paid(api, shop, user, 500), paid(api, api.admin(), user, 600)
    other_key = with_key(new_key(api, "credit"))
    taken_back(api, shop, gone := paid(api, shop, user, 10))
    before = balance(api, user)
    disable = {"disable_account": True}
    for payment_id, caller, status, code in (
        (f"r.{gone}", api.admin(), 409, "payment_not_reversible"),
        (f"r.{gone}", shop, 409, "payment_not_reversible"),
        (removed, api.admin(), 409, "payment_not_reversible"),
        (given["payment_id"], api.admin(), 409, "payment_not_reversible"),
        ("evt-unknown", api.admin(), 404, "payment_not_found"),
        (mine, other_key, 404, "payment_not_found"),
        (of_operator, shop, 404, "payment_not_found"),
    ):
        assert_problem(reverse(api, caller, str(payment_id), **disable), status, code)
    for payment_id in (mine, of_operator):
        assert api.http.get(f"/payments/{payment_id}", headers=other_key).status_code == 404
    assert_problem(reverse(api, api.login(user), mine), 403, "forbidden")
    for body in ({"disable_account": "yes"}, {"note": BIG}, {"millipoints": 1}):
        assert_problem(reverse(api, shop, mine, **body), 400, "invalid_request")
    assert balance(api, user) == before
    assert api.get(headers, "/me")["disabled"] is False


def test_a_chargeback_disables_the_account_and_counts_what_its_sessions_give_back(
    api: Api, shop: dict[str, str]
) -> None:
    headers = api.login(user := api.user())
    payment_id = paid(api, shop, user, 20_000)
    session_id = api.watch(headers)
    done = taken_back(api, shop, payment_id, disable_account=True)
    session = api.get(api.admin(), "/sessions", user_id=user.user_id, state="ended")["items"][0]
    assert (session["session_id"], session["end_reason"]) == (session_id, "kicked")
    assert done["shortfall_millipoints"] == session["charged_millipoints"]
    assert (balance(api, user), api.try_login(user.email, PASSWORD).status_code) == (0, 401)
    # Repeating it disables again, whatever happened to the account since, and returns the same.
    api.http.patch(f"/users/{user.user_id}", json={"disabled": False}, headers=api.admin())
    assert taken_back(api, shop, payment_id, disable_account=True) == done
    assert api.get(shop, "/users/lookup", user_id=user.user_id)["disabled"] is True
    entries = api.get(api.admin(), "/audit", user_id=user.user_id)["items"]
    by_key = [each["action"] for each in reversed(entries) if each["by_user_id"].startswith("key:")]
    assert by_key == ["wallet.credit", *["user.edit", "payment.reverse"] * 2]


def test_no_chargeback_disables_an_operator(api: Api, shop: dict[str, str]) -> None:
    operator = api.user(Role.ADMIN)
    payment_id = paid(api, shop, operator, 1_000)
    assert_problem(reverse(api, shop, payment_id, disable_account=True), 409, "conflict")
    assert (balance(api, operator), api.try_login(operator.email).status_code) == (1_000, 200)
    assert taken_back(api, shop, payment_id)["reversed_millipoints"] == 1_000


def test_a_payment_of_an_erased_person_is_reversed(api: Api, shop: dict[str, str]) -> None:
    user = api.user()
    payment_id = paid(api, shop, user, 1_000)
    assert api.http.post(f"/users/{user.user_id}/erase", headers=api.admin()).status_code == 200
    assert taken_back(api, shop, payment_id, disable_account=True)["reversed_millipoints"] == 1_000
    assert balance(api, user) == 0


def test_an_erased_person_gets_no_further_payment(api: Api, shop: dict[str, str]) -> None:
    """No one could spend it. A payment that is sent again is answered as before."""
    user = api.user()
    payment_id = paid(api, shop, user, 1_000)
    assert api.http.post(f"/users/{user.user_id}/erase", headers=api.admin()).status_code == 200
    for headers in (shop, api.admin()):
        assert_problem(pay(api, headers, user, 1_000), 404, "user_not_found")
    assert pay(api, shop, user, 1_000, payment_id=payment_id).status_code == 200
    assert_problem(pay(api, shop, user, 2_000, payment_id=payment_id), 409, "payment_mismatch")
    assert balance(api, user) == 1_000
    assert pay(api, api.admin(), user, -1_000).status_code == 200, "an operator may remove points"
