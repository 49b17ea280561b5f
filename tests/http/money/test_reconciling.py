"""Reconciliation of served and paid time, as operators and viewers see it."""

import httpx
import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.usage import Served, day_key, day_of
from tests.http.conftest import Api

SERVED = Served(media_ms=8_000, media_bytes=900, segments=4, requests=9, first_at_ms=1, last_at_ms=2)


def serve(api: Api, session_id: str) -> None:
    now_ms = api.services.stores.clock.now_ms()
    assert api.services.stores.usage.add(session_id, SERVED, follower="gw", batch=1, now_ms=now_ms)
    # Let the log be read far ahead: sessions are measured once it is past their end.
    api.services.stores.usage.mark("gw", now_ms + 3_600_000)


def stopped(api: Api, viewer: dict[str, str], **settings: object) -> str:
    session_id = str(api.start(viewer, api.live_stream(**settings)).json()["session_id"])
    assert api.http.post("/playback/stop", json={"session_id": session_id}, headers=viewer).status_code == 200
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
    cost = api.http.get(f"/me/sessions/{session_id}", headers=viewer).json()["charged_millipoints"]
    assert cost > 1_000
    return session_id, int(cost)


def today(api: Api) -> str:
    return day_of(api.services.stores.clock.now_ms())


def row_of(api: Api, admin: dict[str, str], session_id: str, **params: str) -> dict[str, object] | None:
    found, cursor = {}, None
    while True:
        query = {"limit": "5", **params, **({"cursor": cursor} if cursor else {})}
        answer = api.http.get("/reconciliation", params=query, headers=admin)
        assert answer.status_code == 200, answer.text
        found |= {row["session_id"]: row for row in answer.json()["items"]}
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found.get(session_id)


def test_a_viewer_sees_what_a_session_of_their_own_was_served(api: Api) -> None:
    viewer, other = api.viewer(), api.viewer()
    session_id = str(api.start(viewer, api.live_stream()).json()["session_id"])
    before = api.http.get(f"/me/sessions/{session_id}", headers=viewer).json()
    assert (before["media_ms"], before["media_bytes"], before["active"]) == (0, 0, True)
    serve(api, session_id)
    after = api.http.get(f"/me/sessions/{session_id}", headers=viewer).json()
    assert (after["session_id"], after["media_ms"], after["media_bytes"]) == (session_id, 8_000, 900)
    [listed] = api.http.get("/me/sessions", headers=viewer).json()["items"]
    assert (listed["media_ms"], listed["media_bytes"]) == (None, None)
    assert {name for name in listed if name not in after} == set()
    for headers, wanted in ((other, session_id), (viewer, new_session_id())):
        refused = api.http.get(f"/me/sessions/{wanted}", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (404, "session_not_found")


def test_a_session_is_seen_adjusted_and_seen_again(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    session_id = stopped(api, viewer, rate_millipoints_per_minute=60_000_000)
    served = api.http.get(f"/me/sessions/{session_id}", headers=viewer).json()
    assert served["charged_millipoints"] > 0
    serve(api, session_id)
    make_due(api, session_id)
    assert api.services.reconciliation.run().settled >= 1
    row = row_of(api, admin, session_id)
    assert row and row["net_millipoints"] == served["charged_millipoints"]
    assert (row["media_ms"], row["media_bytes"], row["day"]) == (8_000, 900, today(api))
    assert row_of(api, admin, session_id, disagreeing=str(not row["agrees"]).lower())
    assert not row_of(api, admin, session_id, disagreeing=str(row["agrees"]).lower())
    assert row_of(api, admin, session_id, day="2026-01-01") is None
    payment = {"payment_id": new_session_id(), "millipoints": served["charged_millipoints"], "note": "sorry"}
    for _ in range(2):
        wallet = api.http.post(f"/sessions/{session_id}/adjust", json=payment, headers=admin)
        assert (wallet.status_code, wallet.json()["balance_millipoints"]) == (200, 100_000)
    api.services.reconciliation.run()
    adjusted = row_of(api, admin, session_id)
    assert adjusted and adjusted["net_millipoints"] == 0
    assert adjusted["adjustment_millipoints"] == served["charged_millipoints"]
    [line] = [each for each in api.http.get("/me/ledger", headers=viewer).json()["items"] if each["payment_id"]][:1]
    assert (line["kind"], line["session_id"], line["note"]) == ("adjustment", session_id, "sorry")


def test_an_adjustment_is_held_to_its_payment_id_and_its_session(api: Api) -> None:
    # A second of it costs a thousand points, so that there is something to give back.
    admin, viewer = api.admin(), api.viewer(1_000_000_000)
    (first, _), (second, _) = costly(api, viewer), costly(api, viewer)
    payment = {"payment_id": new_session_id(), "millipoints": 500, "note": ""}
    path = f"/sessions/{first}/adjust"
    assert api.http.post(path, json=payment, headers=admin).status_code == 200
    for other, body in ((path, {**payment, "millipoints": 501}), (f"/sessions/{second}/adjust", payment)):
        refused = api.http.post(other, json=body, headers=admin)
        assert (refused.status_code, refused.json()["code"]) == (409, "payment_mismatch")
    unknown = api.http.post(f"/sessions/{new_session_id()}/adjust", json=payment, headers=admin)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "session_not_found")
    nothing = api.http.post(path, json={**payment, "millipoints": 0}, headers=admin)
    assert nothing.status_code == 400


def test_an_adjustment_keeps_to_what_the_session_cost(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    session_id, cost = costly(api, viewer)

    def adjust(millipoints: int, payment_id: str = "") -> httpx.Response:
        body = {"payment_id": payment_id or new_session_id(), "millipoints": millipoints}
        return api.http.post(f"/sessions/{session_id}/adjust", json=body, headers=admin)

    def refused(millipoints: int, least: int, most: int) -> None:
        answer = adjust(millipoints)
        found = answer.json()
        assert (answer.status_code, found["code"]) == (409, "adjustment_out_of_bounds"), found
        assert (found["millipoints_min"], found["millipoints_max"]) == (least, most)
        assert f"from {least} to {most} millipoints" in found["detail"]

    refused(cost + 1, 0, cost)
    refused(-1, 0, cost)
    assert adjust(700, payment_id := new_session_id()).status_code == 200
    refused(cost - 699, -700, cost - 700)
    refused(-701, -700, cost - 700)
    assert adjust(-200).status_code == 200
    assert adjust(cost - 500).status_code == 200
    refused(1, -cost, 0)
    # A repeated request succeeds, although nothing can be adjusted any more.
    assert adjust(700, payment_id).status_code == 200
    wallet = api.http.get("/me/wallet", headers=viewer).json()
    assert wallet["balance_millipoints"] == 100_000


def test_points_that_are_spent_cannot_be_taken_again(api: Api) -> None:
    admin, user = api.admin(), api.user(millipoints=100_000)
    session_id, cost = costly(api, api.login(user))
    path = f"/sessions/{session_id}/adjust"
    given = {"payment_id": new_session_id(), "millipoints": cost}
    assert api.http.post(path, json=given, headers=admin).status_code == 200
    spent = {"payment_id": new_session_id(), "millipoints": -100_000}
    assert api.http.post(f"/wallets/{user.user_id}/credit", json=spent, headers=admin).status_code == 200
    taken = {"payment_id": new_session_id(), "millipoints": -1}
    refused = api.http.post(path, json=taken, headers=admin)
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_balance")


def test_a_session_that_goes_on_is_not_adjusted(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    session_id = api.start(viewer, api.live_stream()).json()["session_id"]
    body = {"payment_id": new_session_id(), "millipoints": 1}
    refused = api.http.post(f"/sessions/{session_id}/adjust", json=body, headers=admin)
    assert (refused.status_code, refused.json()["code"]) == (409, "session_active")
    assert "end" in refused.json()["detail"]


def test_a_day_and_the_figures_add_up(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    before = api.http.get(f"/reconciliation/{today(api)}", headers=admin).json()
    session_id = stopped(api, viewer)
    serve(api, session_id)
    make_due(api, session_id)
    api.services.reconciliation.run()
    after = api.http.get(f"/reconciliation/{today(api)}", headers=admin).json()
    assert after["sessions"] == before["sessions"] + 1
    assert after["media_ms"] == before["media_ms"] + 8_000
    assert (after["all_added_up"], after["day_over"]) == (True, False)
    yesterday = day_of(api.services.stores.clock.now_ms() - 86_400_000)
    assert api.http.get(f"/reconciliation/{yesterday}", headers=admin).json()["day_over"] is True
    now_ms = api.services.stores.clock.now_ms()
    api.services.stores.usage.add(day_key(today(api)), SERVED, follower="gw", batch=1, now_ms=now_ms)
    found = api.http.get(f"/reconciliation/{today(api)}", headers=admin).json()
    assert (found["gateway_media_ms"], found["gateway_media_bytes"]) == (8_000, 900)
    figures = api.http.get("/monitoring/metrics", headers=admin).json()["reconciliation"]
    assert figures == {
        "sessions": after["sessions"],
        "disagreeing": after["disagreeing"],
        "drift_points": after["drift_millipoints"] / 1000,
    }


def test_a_kick_is_seen_with_how_long_it_took(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    session_id = str(api.start(viewer, api.live_stream()).json()["session_id"])
    kick = {"session_id": session_id, "reason": "test"}
    assert api.http.post("/playback/kick", json=kick, headers=admin).status_code == 200
    ended_at_ms = api.services.stores.sessions.get(session_id).ended_at_ms
    late = Served(requests=1, first_at_ms=ended_at_ms, last_at_ms=ended_at_ms + 40)
    now_ms = api.services.stores.clock.now_ms()
    assert api.services.stores.usage.add(session_id, late, follower="gw", batch=1, now_ms=now_ms)
    api.services.stores.usage.mark("gw", now_ms + 3_600_000)
    make_due(api, session_id)
    api.services.reconciliation.run()
    assert row_of(api, admin, session_id)["cut_off_ms"] == 40
    [metric] = api.http.get("/monitoring/metrics", headers=admin).json()["cut_offs"]
    assert metric == {"end_reason": "kicked", "sessions": 1, "p50_ms": 40, "p99_ms": 40, "max_ms": 40}
    found = api.http.get("/monitoring/cut-offs", headers=admin).json()
    [hour] = found["items"]
    assert (found["day"], found["all_added_up"]) == (today(api), True)
    assert hour["hour_ms"] <= ended_at_ms < hour["hour_ms"] + 3_600_000
    assert {bound: count for bound, count in hour["histogram"].items() if count} == {"50": 1}
    assert {name: hour[name] for name in metric} == metric
    other = api.http.get("/monitoring/cut-offs", params={"day": "2026-01-01"}, headers=admin).json()
    assert (other["day"], other["items"]) == ("2026-01-01", [])


NO_DAYS = ["2026-1-1", "2026-13-01", "2026-11-32", "2026-02-30", "2027-02-29", "today", "totals", "1999-01-01"]


@pytest.mark.parametrize("day", NO_DAYS)
def test_what_is_no_day_is_refused_with_what_is_allowed(api: Api, day: str) -> None:
    admin = api.admin()
    listed = api.http.get("/reconciliation", params={"day": day}, headers=admin)
    summed = api.http.get(f"/reconciliation/{day}", headers=admin)
    for refused in (listed, summed):
        [error] = refused.json()["errors"]
        assert (refused.status_code, error["field"]) == (400, "day")
        assert "YYYY-MM-DD" in error["detail"]


def test_a_leap_day_is_a_day(api: Api) -> None:
    assert api.http.get("/reconciliation/2028-02-29", headers=api.admin()).json()["sessions"] == 0


def test_a_cursor_of_another_day_is_refused(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer()
    for _ in range(2):
        session_id = stopped(api, viewer)
        make_due(api, session_id)
    api.services.reconciliation.run()
    page = api.http.get("/reconciliation", params={"limit": "1"}, headers=admin).json()
    for params in ({"day": "2026-01-01"}, {"disagreeing": "true"}):
        refused = api.http.get("/reconciliation", params={"cursor": page["next_cursor"], **params}, headers=admin)
        assert refused.status_code == 400
    assert api.http.get("/reconciliation", params={"cursor": page["next_cursor"]}, headers=admin).status_code == 200
