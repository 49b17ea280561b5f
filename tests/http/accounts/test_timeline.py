"""The timeline of a user, as the staff sees it."""

from chalicelib.domain.accounts.users import Role
from chalicelib.domain.ids import new_user_id
from tests.http.conftest import Api, assert_problem

AGENT = {"user-agent": "mpv 0.40", "x-real-ip": "192.0.2.9"}


def test_sessions_money_logins_and_acts_are_one_list(api: Api) -> None:
    user = api.user(millipoints=100_000)
    assert api.try_login(user.email, "wrong password", **AGENT).status_code == 401
    viewer = {"Authorization": f"Bearer {api.try_login(user.email, **AGENT).json()['access_token']}"}
    session_id = api.watch(viewer)
    api.end(api.admin(), session_id, "kick", reason="asked for")
    operator = api.login(api.user(Role.OPERATOR))
    path = f"/users/{user.user_id}/timeline"
    events = api.all_items(operator, path, limit=2)
    assert [event["kind"] for event in events] == ["act", "session", "login", "payment"]
    act, session, login, payment = events
    assert [event["at_ms"] for event in events] == sorted((event["at_ms"] for event in events), reverse=True)
    assert (act["act"]["action"], act["act"]["details"]["reason"]) == ("session.kick", "asked for")
    assert (session["session"]["end_reason"], session["session"]["debt_payment_millipoints"]) == ("kicked", 0)
    assert session["event_id"] == session["session"]["session_id"] == session_id
    assert login["login"] == {"ip": AGENT["x-real-ip"], "user_agent": AGENT["user-agent"]}
    assert (payment["payment"]["millipoints"], payment["act"], payment["login"]) == (100_000, None, None)
    # Of an erased account, no address stays.
    assert api.http.post(f"/users/{user.user_id}/erase", headers=api.admin()).status_code == 200
    assert "login" not in {event["kind"] for event in api.all_items(operator, path, limit=200)}


def test_who_may_read_which_timeline(api: Api) -> None:
    user = api.user()
    path = f"/users/{user.user_id}/timeline"
    assert_problem(api.http.get(path, headers=api.login(user)), 403, "forbidden")
    kinds = [event["kind"] for event in api.get(api.login(api.user(Role.FINANCE)), path)["items"]]
    assert kinds == ["login"]
    unknown = api.http.get(f"/users/{new_user_id()}/timeline", headers=api.admin())
    assert_problem(unknown, 404, "user_not_found")
    wrong = api.http.get(path, params={"cursor": "x"}, headers=api.admin())
    assert assert_problem(wrong, 400, "invalid_request")["errors"][0]["field"] == "cursor"
