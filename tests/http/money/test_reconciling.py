"""Reconciliation of served and paid time, as operators and viewers see it."""

import httpx
import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.usage import Served, day_key, day_of
from tests.http.conftest import Api, assert_problem

SERVED = Served(media_ms=8_000, media_bytes=900, segments=4, requests=9, first_at_ms=1, last_at_ms=2)


def serve(api: Api, session_id: str, served: Served = SERVED) -> None:
    now_ms = api.services.stores.clock.now_ms()
    assert api.services.stores.usage.add(session_id, served, follower="gw", batch=1, now_ms=now_ms)
    # Let the log be read far ahead: sessions are measured once it is past their end.
    api.services.stores.usage.mark("gw", now_ms + 3_600_000)


def stopped(api: Api, viewer: dict[str, str], **settings: object) -> str:
    session_id = api.watch(viewer, **settings)
    api.end(viewer, session_id)
    return session_id


def make_due(api: Api, session_id: str) -> None:
    """Make the session due for reconciliation."""
    client("dynamodb").update_item(
        TableName=api.services.settings.table_prefix + "playback_sessions",
        Key=to_row({"session_id": session_id}),
        UpdateExpression="SET reconcile_at_ms = :due",
        ConditionExpression="attribute_exists(reconcile_at_ms)",
        ExpressionAttributeValues=to_row({":due": 1}),
    )


def costly(api: Api, viewer: dict[str, str]) -> tuple[str, int]:
    """A session that has ended, and what it cost."""
    session_id = stopped(api, viewer, rate_millipoints_per_minute=60_000_000)
    cost = int(api.get(viewer, f"/me/sessions/{session_id}")["charged_millipoints"])
    assert cost > 1_000
    return session_id, cost


def today(api: Api) -> str:
    return day_of(api.services.stores.clock.now_ms())


def row_of(api: Api, admin: dict[str, str], session_id: str, **params: str) -> dict[str, object] | None:
    rows = api.all_items(admin, "/reconciliation", limit=5, **params)
    return {row["session_id"]: row for row in rows}.get(session_id)


def adjust(
    api: Api, admin: dict[str, str], session_id: str, millipoints: int, payment_id: str = "", note: str = ""
) -> httpx.Response:
    body = {"payment_id": payment_id or new_session_id(), "millipoints": millipoints, "note": note}
    return api.http.post(f"/sessions/{session_id}/adjust", json=body, headers=admin)


def measured(api: Api, session_id: str) -> None:
    """What was served of the session is known, and it is reconciled."""
    serve(api, session_id)
    make_due(api, session_id)
    assert api.services.reconciliation.run().settled >= 1


def test_a_viewer_sees_what_a_session_of_their_own_was_served(api: Api) -> None:
    viewer, other = api.viewer(), api.viewer()
    session_id = api.watch(viewer)
    before = api.get(viewer, f"/me/sessions/{session_id}")
    assert (before["media_ms"], before["media_bytes"], before["active"]) == (0, 0, True)
    serve(api, session_id)
    after = api.get(viewer, f"/me/sessions/{session_id}")
    assert (after["session_id"], after["media_ms"], after["media_bytes"]) == (session_id, 8_000, 900)
    [listed] = api.get(viewer, "/me/sessions")["items"]
    assert (listed["media_ms"], listed["media_bytes"]) == (None, None)
    assert {name for name in listed if name not in after} == set()
    for headers, wanted in ((other, session_id), (viewer, new_session_id())):
        assert_problem(api.http.get(f"/me/sessions/{wanted}", headers=headers), 404, "session_not_found")


def test_a_session_is_seen_adjusted_and_seen_again(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    session_id, cost = costly(api, viewer)
    measured(api, session_id)
    row = row_of(api, admin, session_id)
    assert row and row["net_millipoints"] == cost
    assert (row["media_ms"], row["media_bytes"], row["day"]) == (8_000, 900, today(api))
    assert row_of(api, admin, session_id, disagreeing=str(not row["agrees"]).lower())
    assert not row_of(api, admin, session_id, disagreeing=str(row["agrees"]).lower())
    assert row_of(api, admin, session_id, day="2026-01-01") is None
    payment_id = new_session_id()
    for _ in range(2):
        wallet = adjust(api, admin, session_id, cost, payment_id, "sorry")
        assert (wallet.status_code, wallet.json()["balance_millipoints"]) == (200, 100_000)
    api.services.reconciliation.run()
    adjusted = row_of(api, admin, session_id)
    assert adjusted and (adjusted["net_millipoints"], adjusted["adjustment_millipoints"]) == (0, cost)
    [line] = [each for each in api.get(viewer, "/me/ledger")["items"] if each["payment_id"]][:1]
    assert (line["kind"], line["session_id"], line["note"]) == ("adjustment", session_id, "sorry")


def test_an_adjustment_is_held_to_its_payment_id_and_its_session(api: Api) -> None:
    # A second of it costs a thousand points, so that there is something to give back.
    admin, viewer = api.admin(), api.viewer(1_000_000_000)
    (first, _), (second, _) = costly(api, viewer), costly(api, viewer)
    payment_id = new_session_id()
    assert adjust(api, admin, first, 500, payment_id).status_code == 200
    for session_id, millipoints in ((first, 501), (second, 500)):
        assert_problem(adjust(api, admin, session_id, millipoints, payment_id), 409, "payment_mismatch")
    assert_problem(adjust(api, admin, new_session_id(), 500, payment_id), 404, "session_not_found")
    assert adjust(api, admin, first, 0, payment_id).status_code == 400


def test_an_adjustment_keeps_to_what_the_session_cost(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    (session_id, cost), payment_id = costly(api, viewer), new_session_id()

    def refused(millipoints: int, least: int, most: int) -> None:
        found = assert_problem(adjust(api, admin, session_id, millipoints), 409, "adjustment_out_of_bounds")
        assert (found["millipoints_min"], found["millipoints_max"]) == (least, most)
        assert f"from {least} to {most} millipoints" in found["detail"]

    refused(cost + 1, 0, cost)
    refused(-1, 0, cost)
    assert adjust(api, admin, session_id, 700, payment_id).status_code == 200
    refused(cost - 699, -700, cost - 700)
    refused(-701, -700, cost - 700)
    assert adjust(api, admin, session_id, -200).status_code == 200
    assert adjust(api, admin, session_id, cost - 500).status_code == 200
    refused(1, -cost, 0)
    # A repeated request succeeds, although nothing can be adjusted any more.
    assert adjust(api, admin, session_id, 700, payment_id).status_code == 200
    assert api.get(viewer, "/me/wallet")["balance_millipoints"] == 100_000


def test_points_that_are_spent_cannot_be_taken_again(api: Api) -> None:
    admin, user = api.admin(), api.user(millipoints=100_000)
    session_id, cost = costly(api, api.login(user))
    assert adjust(api, admin, session_id, cost).status_code == 200
    spent = {"payment_id": new_session_id(), "millipoints": -100_000}
    assert api.http.post(f"/wallets/{user.user_id}/credit", json=spent, headers=admin).status_code == 200
    assert_problem(adjust(api, admin, session_id, -1), 409, "insufficient_balance")


def test_a_session_that_goes_on_is_not_adjusted(api: Api) -> None:
    refused = assert_problem(adjust(api, api.admin(), api.watch(api.viewer()), 1), 409, "session_active")
    assert "end" in refused["detail"]


def test_a_day_and_the_figures_add_up(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    before = api.get(admin, f"/reconciliation/{today(api)}")
    measured(api, stopped(api, viewer))
    after = api.get(admin, f"/reconciliation/{today(api)}")
    assert after["sessions"] == before["sessions"] + 1
    assert after["media_ms"] == before["media_ms"] + 8_000
    assert (after["all_added_up"], after["day_over"]) == (True, False)
    assert api.get(admin, "/reconciliation/2028-02-29")["sessions"] == 0, "a leap day is a day"
    yesterday = day_of(api.services.stores.clock.now_ms() - 86_400_000)
    assert api.get(admin, f"/reconciliation/{yesterday}")["day_over"] is True
    now_ms = api.services.stores.clock.now_ms()
    api.services.stores.usage.add(day_key(today(api)), SERVED, follower="gw", batch=1, now_ms=now_ms)
    found = api.get(admin, f"/reconciliation/{today(api)}")
    assert (found["gateway_media_ms"], found["gateway_media_bytes"]) == (8_000, 900)
    figures = {name: after[name] for name in ("sessions", "disagreeing")} | {"ledger_mismatches": 0}
    figures["drift_points"] = after["drift_millipoints"] / 1000
    assert api.get(admin, "/monitoring/metrics")["reconciliation"] == figures


def test_a_kick_is_seen_with_how_long_it_took(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    session_id = api.watch(viewer)
    api.end(admin, session_id, "kick", reason="test")
    ended_at_ms = api.services.stores.sessions.get(session_id).ended_at_ms
    serve(api, session_id, Served(requests=1, first_at_ms=ended_at_ms, last_at_ms=ended_at_ms + 40))
    make_due(api, session_id)
    api.services.reconciliation.run()
    assert row_of(api, admin, session_id)["cut_off_ms"] == 40
    [metric] = api.get(admin, "/monitoring/metrics")["cut_offs"]
    assert metric == {"end_reason": "kicked", "sessions": 1, "p50_ms": 40, "p99_ms": 40, "max_ms": 40}
    found = api.get(admin, "/monitoring/cut-offs")
    [hour] = found["items"]
    assert (found["day"], found["all_added_up"]) == (today(api), True)
    assert hour["hour_ms"] <= ended_at_ms < hour["hour_ms"] + 3_600_000
    assert {bound: count for bound, count in hour["histogram"].items() if count} == {"50": 1}
    assert {name: hour[name] for name in metric} == metric
    other = api.get(admin, "/monitoring/cut-offs", day="2026-01-01")
    assert (other["day"], other["items"]) == ("2026-01-01", [])


NO_DAYS = ["2026-1-1", "2026-13-01", "2026-11-32", "2026-02-30", "2027-02-29", "today", "totals", "1999-01-01"]


@pytest.mark.parametrize("day", NO_DAYS)
def test_what_is_no_day_is_refused_with_what_is_allowed(api: Api, day: str) -> None:
    admin = api.admin()
    for path, params in (("/reconciliation", {"day": day}), (f"/reconciliation/{day}", {})):
        refused = api.http.get(path, params=params, headers=admin)
        [error] = refused.json()["errors"]
        assert (refused.status_code, error["field"]) == (400, "day")
        assert "YYYY-MM-DD" in error["detail"]


def test_a_cursor_of_another_day_is_refused(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    for _ in range(2):
        make_due(api, stopped(api, viewer))
    api.services.reconciliation.run()
    cursor = api.get(admin, "/reconciliation", limit=1)["next_cursor"]
    for params, status in (({"day": "2026-01-01"}, 400), ({"disagreeing": "true"}, 400), ({}, 200)):
        answer = api.http.get("/reconciliation", params={"cursor": cursor, **params}, headers=admin)
        assert answer.status_code == status
