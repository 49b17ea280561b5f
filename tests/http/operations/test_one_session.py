"""One session of any user, as the staff sees it over HTTP: its state, its ledger and its reconciliation."""

import pytest

from chalicelib.domain.accounts.users import Role
from chalicelib.domain.ids import new_session_id
from tests.http.conftest import Api, assert_problem
from tests.http.money.test_reconciling import make_due, serve

LISTED = {"session_id", "email", "charged_millipoints", "balance_millipoints", "ip", "stream_title", "end_reason"}


def test_an_active_session_has_what_the_list_has_and_no_end(api: Api) -> None:
    session_id = api.watch(api.viewer())
    found = api.get(api.admin(), f"/sessions/{session_id}")
    listed = {each["session_id"]: each for each in api.get(api.admin(), "/sessions")["items"]}[session_id]
    assert {name: found[name] for name in LISTED} == {name: listed[name] for name in LISTED}
    assert found["active"] and found["charged_millipoints"] > 0
    ends = ("ended_at_ms", "refunded_millipoints", "adjust_millipoints_min", "adjust_millipoints_max", "reconciliation")
    assert {found[name] for name in ends} == {None}


def test_an_ended_session_has_its_bounds_and_then_its_reconciliation(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer(millipoints=100_000_000)
    session_id = api.watch(viewer, rate_millipoints_per_minute=60_000_000)
    api.end(viewer, session_id)
    found = api.get(admin, f"/sessions/{session_id}")
    cost = found["charged_millipoints"]
    assert cost > 1_000 and found["reconciliation"] is None
    assert (found["adjust_millipoints_min"], found["adjust_millipoints_max"]) == (0, cost)

    body = {"payment_id": new_session_id(), "millipoints": 1_000, "note": "the picture was dark"}
    assert api.http.post(f"/sessions/{session_id}/adjust", json=body, headers=admin).status_code == 200
    found = api.get(admin, f"/sessions/{session_id}")
    assert (found["adjust_millipoints_min"], found["adjust_millipoints_max"]) == (-1_000, cost - 1_000)
    assert found["adjusted_millipoints"] == 1_000

    serve(api, session_id)
    make_due(api, session_id)
    api.services.reconciliation.run()
    result = api.get(admin, f"/sessions/{session_id}")["reconciliation"]
    assert (result["media_ms"], result["adjustment_millipoints"]) == (8_000, 1_000)
    of_the_day = {each["session_id"]: each for each in api.all_items(admin, "/reconciliation", limit=5)}
    assert of_the_day[session_id] == result


def test_its_ledger_is_that_of_its_viewer(api: Api) -> None:
    viewer = api.viewer()
    other, session_id = api.watch(viewer), api.watch(viewer)
    api.end(viewer, session_id)
    own = api.all_items(viewer, f"/me/sessions/{session_id}/ledger", limit=1)
    assert own and api.all_items(api.admin(), f"/sessions/{session_id}/ledger", limit=1) == own
    assert {each["session_id"] for each in own} == {session_id} != {other}


def test_what_has_not_changed_is_not_sent_again(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    session_id = api.watch(viewer)
    api.end(viewer, session_id)
    of_one = {"user_id": api.get(admin, f"/sessions/{session_id}")["user_id"], "state": "ended"}
    for path, params in ((f"/sessions/{session_id}", {}), ("/sessions", of_one), ("/money/totals", {"by": "day"})):
        first = api.http.get(path, params=params, headers=admin)
        again = api.http.get(path, params=params, headers={**admin, "If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b""), path


@pytest.mark.parametrize("what", ["", "/ledger"])
def test_the_staff_alone_sees_it(api: Api, what: str) -> None:
    viewer = api.viewer()
    path = f"/sessions/{api.watch(viewer)}{what}"
    for role in (Role.OPERATOR, Role.FINANCE, Role.ADMIN):
        assert api.http.get(path, headers=api.login(api.user(role))).status_code == 200
    assert_problem(api.http.get(path, headers=viewer), 403, "forbidden")
    assert_problem(api.http.get(f"/sessions/{new_session_id()}{what}", headers=api.admin()), 404, "session_not_found")
