"""The canary's account, key and reports: business figures leave it out, and its key does nothing else."""

from typing import Any

import pytest

from chalicelib.domain.accounts.users import Role, User
from chalicelib.domain.errors import EmailTaken
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.operations.audit import COMMAND
from chalicelib.domain.operations.canary import STEPS, CanaryStep
from tests.http.accounts.test_service_keys import new_key, with_key
from tests.http.conftest import PASSWORD, Api, assert_problem
from tests.http.money.test_reconciling import adjust
from tests.http.money.test_settling import log_is_followed  # noqa: F401 (a fixture)
from tests.http.money.test_totals import pay, serve_and_reconcile, totals

STEPS_MS = [*range(10, 10 + len(STEPS))]


@pytest.fixture(scope="module")
def key(api: Api) -> dict[str, str]:
    return with_key(new_key(api, "canary"))


@pytest.fixture
def canary(api: Api) -> User:
    return api.services.accounts.make_canary(f"{new_session_id()}@local", PASSWORD, by=COMMAND)


def business_figures(api: Api) -> dict[str, Any]:
    """What the canary may not change."""
    api.services.stores.counters.flush()
    metrics, text = (
        api.http.get("/monitoring/metrics", headers={**api.admin(), "Accept": accept})
        for accept in ("*/*", "text/plain")
    )
    points = ("tollcast_points_", "tollcast_active_sessions ", "tollcast_watching_sessions ")
    return {
        "totals": totals(api)["total"],
        "active": metrics.json()["active_sessions"],
        "lines": [line for line in text.text.splitlines() if line.startswith(points)],
    }


@pytest.mark.usefixtures("log_is_followed")
def test_business_figures_leave_the_canary_out(api: Api, canary: User) -> None:
    before = business_figures(api)
    headers = api.login(canary)
    pay(api, canary.user_id, 100_000, payment_id := new_session_id())
    started = api.start(headers, api.live_stream())
    assert started.status_code == 201, started.text
    session_id = started.json()["session_id"]
    [row] = api.get(api.admin(), "/sessions", state="active", user_id=canary.user_id)["items"]
    [account] = api.get(api.admin(), "/users", q=canary.user_id)["items"]
    assert row["is_canary"] and account["is_canary"]
    assert session_id.startswith("canary") and started.json()["charged_millipoints"] > 0
    assert business_figures(api) == before
    api.end(headers, session_id)
    serve_and_reconcile(api, session_id, 1_000)
    assert adjust(api, api.admin(), session_id, 100).status_code == 200
    api.services.reconciliation.run()
    assert api.http.post(f"/payments/{payment_id}/reverse", json={}, headers=api.admin()).status_code == 200
    assert business_figures(api) == before
    # The functions' processes write what they counted after 5 s, so this comes last.
    full = api.live_stream(viewers_max=1)
    api.credit(canary, 100_000)
    for viewer, status in ((api.viewer(), 201), (api.viewer(), 409), (headers, 201)):
        assert api.start(viewer, full, idempotency_key="k" * 20).status_code == status


def test_its_key_kicks_no_one_else(api: Api, key: dict[str, str], canary: User) -> None:
    api.credit(canary, 100_000)
    own, others = api.watch(api.login(canary)), api.watch(api.viewer())
    blocking = api.http.post("/playback/kick", json={"session_id": own, "block_minutes": 1}, headers=key)
    assert_problem(blocking, 403, "forbidden")
    assert api.get(api.admin(), "/blocks", user_id=canary.user_id)["items"] == []
    kicked = api.end(key, own, "kick", reason="canary", message="The canary's run is over.")
    assert (kicked["end_reason"], kicked["message"]) == ("kicked", "The canary's run is over.")
    assert not [each for each in api.get(api.admin(), "/audit")["items"] if each["target"] == own]
    refused = api.http.post("/playback/kick", json={"session_id": others}, headers=key)
    assert_problem(refused, 403, "forbidden")
    assert api.services.stores.sessions.get(others).active  # type: ignore[union-attr]
    for other_key in ("credit", "metrics"):
        headers = with_key(new_key(api, other_key))
        answer = api.http.post("/playback/kick", json={"session_id": own}, headers=headers)
        assert_problem(answer, 403, "key_scope")


def test_a_run_is_reported_listed_and_exported(api: Api, key: dict[str, str]) -> None:
    reports: list[dict[str, object]] = [
        {"steps_ms": STEPS_MS},
        {"steps_ms": STEPS_MS[:3], "failure": "the stream is not live"},
    ]
    for report in reports:
        assert api.http.post("/monitoring/canary", json=report, headers=key).status_code == 201
    failed, ok = api.all_items(api.login(api.user(Role.FINANCE)), "/monitoring/canary", limit=1)[:2]
    assert (ok["is_ok"], ok["failed_step"], ok["failure"]) == (True, None, None)
    assert [(each["step"], each["ms"], each["is_ok"]) for each in ok["steps"]] == [
        (step, ms, True) for step, ms in zip(CanaryStep, STEPS_MS, strict=True)
    ]
    assert (failed["failed_step"], failed["failure"]) == ("start", "the stream is not live")
    assert [each["is_ok"] for each in failed["steps"]] == [True, True, False]
    text = api.http.get("/monitoring/metrics", headers={**api.admin(), "Accept": "text/plain"}).text
    lines = [line for line in text.splitlines() if line.startswith("tollcast_canary")]
    for line in (
        "tollcast_canary_ok 0",
        'tollcast_canary_step_seconds{step="start"} 0.012',
        'tollcast_canary_step_ok{step="stream"} 1',
        'tollcast_canary_step_ok{step="start"} 0',
    ):
        assert any(each.startswith(line) for each in lines), lines


@pytest.mark.parametrize(
    ("report", "field"),
    [
        ({"steps_ms": []}, "steps_ms"),
        ({"steps_ms": [1]}, "failure"),
        ({"steps_ms": [-1], "failure": "x"}, "steps_ms.0"),
        ({"steps_ms": [1] * (len(STEPS) + 1)}, "steps_ms"),
        ({"steps_ms": [1], "failure": "\x1b[2J"}, "failure"),
        ({"steps_ms": [1], "failure": "x" * 201}, "failure"),
    ],
)
def test_a_wrong_report_names_its_field(api: Api, key: dict[str, str], report: dict[str, object], field: str) -> None:
    answer = api.http.post("/monitoring/canary", json=report, headers=key)
    assert assert_problem(answer, 400, "invalid_request")["errors"][0]["field"] == field


def test_an_account_of_a_person_does_not_become_the_canarys(api: Api, canary: User) -> None:
    with pytest.raises(EmailTaken):
        api.services.accounts.make_canary(api.user().email, PASSWORD, by=COMMAND)
    again = api.services.accounts.make_canary(canary.email, f"{PASSWORD} 2", by=COMMAND)
    assert again.user_id == canary.user_id
    assert api.try_login(canary.email, f"{PASSWORD} 2").status_code == 200
