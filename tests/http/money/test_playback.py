"""The main job over HTTP: start, beat, renew, stop, kick, and what each answers when it is over."""

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import LEASE_MS_MIN
from chalicelib.domain.money.usage import Served
from chalicelib.domain.operations.fetches import Fetches
from chalicelib.domain.streams.runtime import RuntimeState
from tests.http.conftest import Api, assert_problem

FIELDS = (
    "session_id seq play_url play_token expires_in next_beat_in_ms lease_ms paid_until_ms balance_millipoints"
    " rate_millipoints_per_minute seconds_left final top_up_url others_spending charged_millipoints outcome"
)
SESSION_FIELDS = {*FIELDS.split()}


def wait_for_beat(api: Api, session_id: str, headers: dict[str, str]) -> None:
    """Open the session's window without waiting: move the session's times back by a lease's length."""
    client("dynamodb").update_item(
        TableName=api.services.settings.table_prefix + "wallets",
        Key=to_row({"user_id": api.get(headers, "/me")["user_id"]}),
        UpdateExpression="SET ss.#s.pu = ss.#s.pu - :ms, ss.#s.bf = ss.#s.bf - :ms",
        ExpressionAttributeNames={"#s": session_id},
        ExpressionAttributeValues=to_row({":ms": LEASE_MS_MIN + 2_500}),
    )


def test_start_sells_the_first_lease(api: Api) -> None:
    headers, stream_id = api.viewer(), api.live_stream()
    answer = api.start(headers, stream_id)
    assert answer.status_code == 201
    session = answer.json()
    assert set(session) == SESSION_FIELDS | {"live_start_index"}
    assert session["play_url"].endswith(f"/play/{session['session_id']}/index.m3u8")
    assert (session["seq"], session["balance_millipoints"], session["charged_millipoints"]) == (1, 90_000, 10_000)
    assert (session["rate_millipoints_per_minute"], session["lease_ms"]) == (60_000, 10_000)
    assert 4_000 < session["next_beat_in_ms"] <= 5_250
    assert session["expires_in"] in (14, 15)
    assert (session["seconds_left"] in (99, 100), session["others_spending"]) == (True, 0)
    other = api.start(headers, stream_id).json()
    assert (other["seconds_left"] < 60, other["others_spending"]) == (True, 1)
    assert api.get(headers, "/me/wallet")["sessions"][0]["session_id"] == session["session_id"]


def test_a_heartbeat_answers_all_of_start_but_where_to_begin(api: Api) -> None:
    session_id = api.watch(headers := api.viewer())
    early = api.beat(headers, session_id, 2).json()
    assert set(early) == SESSION_FIELDS
    assert (early["outcome"], early["charged_millipoints"], early["seq"]) == ("early", 0, 1)
    wait_for_beat(api, session_id, headers)
    sold = api.beat(headers, session_id, 2).json()
    assert (sold["outcome"], sold["charged_millipoints"], sold["seq"]) == ("on_time", 10_000, 2)
    again = api.beat(headers, session_id, 2).json()
    assert (again["outcome"], again["charged_millipoints"]) == ("replay", 10_000)
    assert again["balance_millipoints"] == sold["balance_millipoints"] == 80_000


def test_renew_charges_nothing(api: Api) -> None:
    session_id = api.watch(headers := api.viewer())
    renewed = api.http.post("/playback/renew", json={"session_id": session_id}, headers=headers)
    assert renewed.status_code == 200
    assert renewed.json()["balance_millipoints"] == 90_000
    for _ in range(2):
        wait_for_beat(api, session_id, headers)
    assert_problem(
        api.http.post("/playback/renew", json={"session_id": session_id}, headers=headers), 409, "lease_not_paid"
    )


def test_stop_refunds_and_may_be_repeated(api: Api) -> None:
    session_id = api.watch(headers := api.viewer())
    first = api.end(headers, session_id)
    assert api.end(headers, session_id) == first and first["end_reason"] == "viewer_stopped"
    assert first["charged_millipoints"] + first["refunded_millipoints"] == 10_000
    assert first["balance_millipoints"] == 100_000 - first["charged_millipoints"]
    assert abs(first["charged_millipoints"] - first["watched_ms"]) <= 1
    over = api.beat(headers, session_id, 2)
    assert (over.status_code, over.json()["end_reason"]) == (410, "viewer_stopped")
    ledger = api.get(headers, "/me/ledger")["items"]
    assert sum(item["delta_millipoints"] for item in ledger) == first["balance_millipoints"]
    assert [item["kind"] for item in ledger] == ["refund", "lease", "credit"]
    assert {"delta_millipoints", "kind", "at_ms", "version"} <= set(ledger[0])


def test_kick_ends_with_its_own_reason(api: Api) -> None:
    session_id = api.watch(headers := api.viewer())
    kicked = api.end(api.admin(), session_id, "kick", reason="test")
    over = assert_problem(api.beat(headers, session_id, 2), 403, "kicked")
    assert kicked["end_reason"] == over["end_reason"] == "kicked"
    assert over["charged_millipoints"] == kicked["charged_millipoints"]


def test_an_empty_wallet_and_a_spent_one(api: Api) -> None:
    stream_id = api.live_stream()
    assert api.start(api.viewer(0), stream_id).json()["code"] == "balance_exhausted"
    headers = api.viewer(4_000)
    session = api.start(headers, stream_id).json()
    assert (session["outcome"], session["balance_millipoints"], session["seconds_left"]) == ("poor", 0, 4)
    wait_for_beat(api, session["session_id"], headers)
    over = api.beat(headers, session["session_id"], 2)
    assert (over.status_code, over.json()["end_reason"]) == (402, "balance_exhausted")
    assert (over.json()["charged_millipoints"], over.json()["top_up_url"]) == (4_000, None)


def test_the_last_lease_says_so(api: Api) -> None:
    user = api.user(millipoints=15_000)
    headers = api.login(user)
    first = api.start(headers, api.live_stream()).json()
    session_id = first["session_id"]
    assert (first["final"], first["balance_millipoints"]) == (False, 5_000), "the rest buys a shorter lease"
    wait_for_beat(api, session_id, headers)
    last = api.beat(headers, session_id, 2).json()
    assert (last["outcome"], last["charged_millipoints"], last["final"]) == ("poor", 5_000, True)
    assert last["seconds_left"] in (6, 7), "2.5 s of the first lease, and 5 s of the last"
    answers = [api.beat(headers, session_id, seq).json() for seq in (2, 3)]
    assert [(each["outcome"], each["final"]) for each in answers] == [("replay", True), ("early", True)]
    api.credit(user, 1_000)
    again = api.beat(headers, session_id, 2).json()
    assert (again["outcome"], again["final"]) == ("replay", False), "more points came in"
    wait_for_beat(api, session_id, headers)
    more = api.beat(headers, session_id, 3).json()
    assert (more["outcome"], more["charged_millipoints"], more["final"]) == ("poor", 1_000, True)
    renewed = api.http.post("/playback/renew", json={"session_id": session_id}, headers=headers).json()
    assert renewed["final"] is True


def test_streams_that_are_not_live_sell_nothing(api: Api) -> None:
    headers, stream_id = api.viewer(), api.live_stream()
    api.report(stream_id, RuntimeState.STALLED)
    assert api.start(headers, "no-such-stream").status_code == 404
    # The state of a stream is read through a cache of a second.
    for _ in range(200):
        answer = api.start(headers, stream_id)
        if answer.status_code == 409:
            break
        api.end(headers, answer.json()["session_id"])
    assert answer.json()["code"] == "stream_not_live"


def test_the_limit_of_sessions_and_replace(api: Api) -> None:
    headers, stream_id = api.viewer(), api.live_stream()
    ids = [api.start(headers, stream_id).json()["session_id"] for _ in range(3)]
    full = assert_problem(api.start(headers, stream_id), 409, "session_limit")
    assert [each["session_id"] for each in full["sessions"]] == ids
    assert api.start(headers, stream_id, replace=True).status_code == 201
    assert api.beat(headers, ids[0], 2).json()["end_reason"] == "superseded"


def test_max_points_bounds_a_session(api: Api) -> None:
    headers = api.viewer()
    session = api.start(headers, api.live_stream(), max_points=4).json()
    assert (session["charged_millipoints"], session["balance_millipoints"]) == (4_000, 96_000)
    assert (session["final"], session["seconds_left"]) == (True, 4)
    wait_for_beat(api, session["session_id"], headers)
    over = api.beat(headers, session["session_id"], 2)
    assert (over.status_code, over.json()["end_reason"]) == (402, "max_points_reached")


def test_pausing_ends_sessions_with_a_refund(api: Api) -> None:
    admin, headers, stream_id = api.admin(), api.viewer(), api.live_stream()
    session_id = api.start(headers, stream_id).json()["session_id"]
    paused = api.http.post(f"/streams/{stream_id}/state", json={"state": "paused"}, headers=admin)
    assert paused.json()["desired_state"] == "paused"
    over = api.beat(headers, session_id, 2)
    assert (over.status_code, over.json()["end_reason"]) == (410, "stream_paused")
    assert api.http.get("/me/wallet", headers=headers).json()["balance_millipoints"] > 98_000
    assert api.start(headers, stream_id).json()["code"] == "stream_not_live"


def test_operators_see_who_watches(api: Api) -> None:
    admin, stream_id = api.admin(), api.live_stream()
    user = api.user(millipoints=100_000)
    session_id = api.start(api.login(user), stream_id).json()["session_id"]
    [listed] = api.get(admin, "/sessions", stream_id=stream_id)["items"]
    assert (listed["session_id"], listed["user_id"], listed["active"]) == (session_id, user.user_id, True)
    assert listed["charged_millipoints"] == 10_000 and listed["user_agent"].startswith("python-httpx")
    assert (listed["email"], listed["stream_title"], listed["balance_millipoints"]) == (user.email, "A stream", 90_000)
    assert 80 <= listed["seconds_left"] <= 100
    unknown = ("rendition", "bytes_last_minute", "bitrate_bps", "last_fetch_at_ms", "is_fetching", "media_ms")
    assert [listed[name] for name in (*unknown, "cut_off_ms", "cut_off_measured")] == [None] * 8
    usage, now_ms = api.services.stores.usage, api.services.stores.clock.now_ms()
    served = Served(media_ms=4_000, media_bytes=60_000, segments=2, requests=2)
    usage.add(session_id, served, follower="f", batch=1, now_ms=now_ms, fetches=Fetches().plus(now_ms, 60_000, "480p"))
    usage.mark("f", now_ms, watching=1)
    [listed] = api.get(admin, "/sessions", stream_id=stream_id)["items"]
    assert [listed[name] for name in unknown[:3]] == ["480p", 60_000, None], "its bitrate is known after 20 s"
    assert (listed["last_fetch_at_ms"], listed["is_fetching"], listed["media_ms"]) == (now_ms, True, 4_000)
    assert api.get(admin, "/monitoring/metrics")["watching_sessions"] == 1
    usage.leave("f")
    everywhere = [each["session_id"] for each in api.all_items(admin, "/sessions", limit=2)]
    assert session_id in everywhere and len(everywhere) == len(set(everywhere))
    api.services.billing.end(user.user_id, session_id, EndReason.KICKED)
    [ended] = api.get(admin, "/sessions", stream_id=stream_id, state="ended")["items"]
    assert (ended["end_reason"], ended["active"], ended["media_ms"]) == ("kicked", False, 4_000)
    assert (ended["cut_off_ms"], ended["cut_off_measured"], ended["is_fetching"]) == (None, False, None)
    assert api.get(admin, "/sessions", stream_id=stream_id)["items"] == []
    [own] = api.get(api.login(user), "/me/sessions")["items"]
    assert own["session_id"] == session_id


def test_a_preview_is_free_and_for_operators(api: Api) -> None:
    admin, stream_id = api.admin(), api.live_stream()
    preview = api.http.post(f"/streams/{stream_id}/preview", headers=admin)
    assert preview.status_code == 201
    session = preview.json()
    assert (session["rate_millipoints_per_minute"], session["charged_millipoints"]) == (0, 0)
    assert session["lease_ms"] == 600_000 and session["expires_in"] <= 90
    assert api.beat(admin, session["session_id"], 2).json()["outcome"] == "early"
