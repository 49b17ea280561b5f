"""Operators' routes: streams, accounts, money, metrics."""

import json
from collections import Counter
from typing import Any

import httpx
import pytest

from chalicelib.domain.ids import new_session_id
from chalicelib.domain.operations.traffic import MINUTE_MS, Kept, Part, counts_of, hour_of
from tests.fixtures.waiting import wait_for
from tests.http.conftest import PASSWORD, Api, assert_problem


def test_a_stream_from_creation_to_archive(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer(0)
    stream = api.create_stream(title="News")
    assert (stream["state"], stream["desired_state"], stream["lease_ms"]) == ("stopped", "stopped", 10_000)
    path = f"/streams/{stream['stream_id']}"
    edited = api.http.patch(path, json={"title": "Late news", "rate_millipoints_per_minute": 1}, headers=admin).json()
    assert (edited["title"], edited["rate_millipoints_per_minute"], edited["generation"]) == ("Late news", 1, 1)
    assert api.http.patch(path, json={"segment_seconds": 4}, headers=admin).json()["generation"] == 2
    assert api.http.post(f"{path}/restart", headers=admin).json()["generation"] == 3
    assert api.http.post(f"{path}/state", json={"state": "live"}, headers=admin).json()["desired_state"] == "live"
    seen = api.get(viewer, path)
    assert seen["desired_state"] == "live" and "ingest" not in seen
    assert api.get(admin, path)["ingest"]["mode"] == "test"
    assert api.http.delete(path, headers=admin).status_code == 204
    assert api.http.get(path, headers=viewer).status_code == 404
    assert stream["stream_id"] not in [each["stream_id"] for each in api.get(viewer, "/streams")["items"]]


@pytest.mark.parametrize(
    "title", ["می\u200cخواهم", "👨\u200d👩\u200d👧 ❤\ufe0f 🇩🇪", "שלום\u200f!", "e\u0301tude", "夜と霧", "กํ"]
)
def test_a_title_may_be_in_any_script(api: Api, title: str) -> None:
    assert api.create_stream(title=title)["title"] == title


@pytest.mark.parametrize("code", [0x0A, 0x7F, 0x9B, 0x2028, 0x202A, 0x202E, 0x2066, 0x2069])
def test_a_title_may_not_steer_what_shows_it(api: Api, code: int) -> None:
    body = json.dumps({"title": f"a{chr(code)}b", "ingest": {"mode": "test"}})
    refused = api.http.post("/streams", content=body, headers={**api.admin(), "Content-Type": "application/json"})
    assert refused.status_code == 400 and refused.json()["errors"][0]["field"] == "title", refused.text


def test_a_stream_id_is_taken_once(api: Api) -> None:
    body = {"stream_id": "taken", "title": "One", "ingest": {"mode": "file", "path": "clip.mp4"}}
    api.create_stream(**body)
    assert_problem(api.try_create_stream(**body), 409, "stream_exists")


def test_files_have_names_as_people_have_them(api: Api) -> None:
    admin = api.admin()
    names = ("Amélie", "Ame\u0301lie", "Film (2004)", "Rock'n'Roll", "A & B", "映画/夜 👩\u200d👧")
    for path in (f"{name}.mp4" for name in names):
        ingest = {"mode": "file", "path": path}
        created = api.create_stream(ingest=ingest)
        assert created["ingest"]["path"] == path
        edited = api.http.patch(f"/streams/{created['stream_id']}", json={"backups": [ingest]}, headers=admin)
        assert edited.json()["backups"][0]["path"] == path
    long = {"title": "x", "ingest": {"mode": "file", "path": "é" * 128}}
    refused = api.http.post("/streams", json=long, headers=admin)
    assert refused.status_code == 400 and "256 bytes" in refused.text and "allowed: 255" in refused.text


def test_sources_that_no_stream_may_open_are_refused_and_nothing_is_kept(api: Api) -> None:
    admin, stream_id = api.admin(), new_session_id()
    urls = ("https://user:secret@example.org/live.m3u8", "https://example.org/live.m3u8")
    hostile, good = ({"mode": "pull", "url": each} for each in urls)
    for body in ({"ingest": hostile}, {"ingest": good, "backups": [hostile]}):
        refused = api.http.post("/streams", json={"stream_id": stream_id, "title": "x", **body}, headers=admin)
        assert_problem(refused, 400, "source_refused")
        assert "allowed" in refused.json()["detail"] and "secret" not in refused.text
    api.create_stream(stream_id=stream_id, ingest=good)
    path = f"/streams/{stream_id}"
    assert_problem(api.http.patch(path, json={"ingest": hostile}, headers=admin), 400, "source_refused")
    assert api.get(admin, path)["ingest"]["url"] == good["url"]


def assert_wrong(refused: httpx.Response, field: str, allowed: str) -> None:
    assert refused.status_code == 400, refused.text
    [error] = refused.json()["errors"]
    assert error["field"] == field and allowed in error["detail"], error


def test_a_ladder_of_ones_own_has_a_bound_of_pictures(api: Api) -> None:
    admin = api.admin()
    rendition = {"name": "a", "width": 640, "height": 360, "video_bps": 800_000, "audio_bps": 96_000}
    ladder = {"abr_profile": "custom", "custom_renditions": [rendition]}
    made = api.create_stream(**ladder)
    path = f"/streams/{made['stream_id']}"
    assert made["fps_max"] == 30
    edited = api.http.patch(path, json={"fps_max": 60}, headers=admin).json()
    assert (edited["fps_max"], edited["generation"]) == (60, 2)
    for fps_max, allowed in ((9, "greater than or equal to 10"), (61, "less than or equal to 60")):
        assert_wrong(api.http.patch(path, json={"fps_max": fps_max}, headers=admin), "fps_max", allowed)
    usual = {"abr_profile": "hd", "custom_renditions": []}
    refused = api.http.patch(path, json=usual, headers=admin)
    assert refused.status_code == 400 and "with every other profile fps_max is 30" in refused.text
    assert api.http.patch(path, json={**usual, "fps_max": 30}, headers=admin).json()["fps_max"] == 30


def test_what_is_played_of_a_source_is_chosen_with_it(api: Api) -> None:
    admin, file = api.admin(), {"mode": "file", "path": "clip.ts"}
    stream = api.create_stream(ingest={**file, "program": 7, "audio_track": 2}, frozen_after_s=60)
    path = f"/streams/{stream['stream_id']}"
    assert (stream["ingest"]["program"], stream["ingest"]["audio_track"]) == (7, 2)
    assert (stream["frozen_after_s"], stream["generation"]) == (60, 1)
    edited = api.http.patch(path, json={"ingest": file, "frozen_after_s": 0}, headers=admin).json()
    assert (edited["ingest"]["program"], edited["frozen_after_s"], edited["generation"]) == (None, 0, 2)
    for wrong, field, allowed in (
        ({"frozen_after_s": 9}, "frozen_after_s", "allowed: 0 (off), or 10 to 3600 s"),
        ({"frozen_after_s": 3_601}, "frozen_after_s", "allowed: 0 (off), or 10 to 3600 s"),
        ({"ingest": {**file, "program": 0}}, "ingest.program", "greater than or equal to 1"),
        ({"ingest": {**file, "program": 65_536}}, "ingest.program", "less than or equal to 65535"),
        ({"ingest": {**file, "audio_track": 33}}, "ingest.audio_track", "less than or equal to 32"),
        ({"ingest": {"mode": "test", "audio_track": 1}}, "ingest", "mode `test` takes no audio_track"),
    ):
        assert_wrong(api.http.patch(path, json=wrong, headers=admin), field, allowed)


def test_an_edit_says_what_it_does_and_a_dry_run_only_says_it(api: Api) -> None:
    admin, stream_id = api.admin(), api.live_stream(rate_millipoints_per_minute=0)
    path = f"/streams/{stream_id}"
    assert api.start(api.viewer(), stream_id).status_code == 201
    planned = api.http.patch(path, params={"dry_run": "true"}, json={"segment_seconds": 4}, headers=admin).json()
    assert (planned["applies"], planned["viewers"], planned["dry_run"]) == ("restart", 1, True)
    assert (planned["segment_seconds"], planned["generation"], planned["version"]) == (2, 1, 2)
    hot = api.http.patch(path, json={"title": "Other"}, headers=admin).json()
    assert (hot["applies"], hot["viewers"], hot["dry_run"], hot["title"]) == ("hot", 0, False, "Other")
    same = api.http.patch(path, json={"title": "Other"}, headers=admin).json()
    assert (same["applies"], same["version"]) == ("none", hot["version"])
    done = api.http.patch(path, params={"dry_run": "false"}, json={"segment_seconds": 4}, headers=admin).json()
    assert (done["applies"], done["viewers"], done["segment_seconds"], done["generation"]) == ("restart", 1, 4, 2)
    wrong = api.http.patch(path, params={"dry_run": "perhaps"}, json={}, headers=admin)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "dry_run")


def test_accounts(api: Api) -> None:
    admin, email = api.admin(), f"{new_session_id()}@Example.org"
    created = api.http.post("/users", json={"email": email, "password": PASSWORD}, headers=admin)
    assert (created.status_code, created.json()["role"]) == (201, "viewer")
    again = {"email": email.lower(), "password": PASSWORD}
    assert_problem(api.http.post("/users", json=again, headers=admin), 409, "email_taken")
    user_id = created.json()["user_id"]
    wallet = api.get(admin, f"/wallets/{user_id}")
    assert (wallet["balance_millipoints"], wallet["version"], wallet["sessions"]) == (0, 0, [])
    changed = api.http.patch(f"/users/{user_id}", json={"role": "admin", "password": "another one"}, headers=admin)
    assert changed.json()["role"] == "admin"
    assert api.try_login(email, "another one").status_code == 200
    assert user_id in [user["user_id"] for user in api.all_items(admin, "/users", limit=3)]


def test_credit_counts_once_by_its_payment_id(api: Api) -> None:
    admin, user = api.admin(), api.user()
    path, payment = f"/wallets/{user.user_id}/credit", {"millipoints": 5_000, "payment_id": new_session_id()}
    for _ in range(2):
        answer = api.http.post(path, json=payment, headers=admin)
        assert (answer.status_code, answer.json()["balance_millipoints"]) == (200, 5_000)
    assert_problem(api.http.post(path, json={**payment, "millipoints": 6_000}, headers=admin), 409, "payment_mismatch")
    less = {"millipoints": -5_001, "payment_id": new_session_id()}
    assert_problem(api.http.post(path, json=less, headers=admin), 409, "insufficient_balance")
    taken = {"millipoints": -1_000, "payment_id": new_session_id(), "note": "mistake"}
    assert api.http.post(path, json=taken, headers=admin).json()["balance_millipoints"] == 4_000
    ledger = api.get(admin, f"/wallets/{user.user_id}/ledger")["items"]
    assert [(item["kind"], item["delta_millipoints"]) for item in ledger] == [("adjustment", -1_000), ("credit", 5_000)]
    unknown = api.http.post("/wallets/u_" + "c" * 20 + "/credit", json=payment, headers=admin)
    assert unknown.status_code in (404, 409)


def test_ledgers_are_paged_without_gaps(api: Api) -> None:
    user = api.user()
    for n in range(20):
        api.credit(user, n + 1)
    lines = api.all_items(api.login(user), "/me/ledger", limit=7)
    assert [line["version"] for line in lines] == list(range(20, 0, -1))


def test_request_ids_come_back(api: Api) -> None:
    answer = api.http.get("/healthz", headers={"X-Request-ID": "abc-123"})
    assert answer.headers["x-request-id"] == "abc-123"
    # All that nginx lets through.
    assert api.http.get("/healthz", headers={"X-Request-ID": "Abc_1.2-3"}).headers["x-request-id"] == "Abc_1.2-3"
    assert "x-request-id" not in api.http.get("/healthz", headers={"X-Request-ID": "a b\tc"}).headers


def test_health_and_figures(api: Api) -> None:
    assert api.get({}, "/healthz")["dependencies"] == {"tables": "ok", "media": "ok"}
    admin = api.admin()
    api.try_login("unknown@local", "x")
    api.watch(api.viewer())
    metrics = api.get(admin, "/monitoring/metrics")
    assert metrics["active_sessions"] >= 1
    assert {"points_spent_per_minute", "login_failures", "playback_errors", "cut_offs"} <= set(metrics)


def test_errors_are_listed_by_code_and_route_with_the_last_request(api: Api) -> None:
    for number in range(2):
        headers = {**api.admin(), "X-Request-ID": f"lost-{number}"}
        assert api.http.get("/streams/lost", headers=headers).status_code == 404

    def of_this_test() -> list[dict[str, Any]]:
        """Return the counted error, once it is that of this test: each process writes its counts after some seconds."""
        items = api.get(api.admin(), "/monitoring/errors")["items"]
        of_route = [each for each in items if (each["method"], each["route"]) == ("GET", "/streams/{stream_id}")]
        assert [(each["status"], each["code"]) for each in of_route] == [(404, "stream_not_found")]
        return of_route if of_route[0]["last_request_id"] in ("lost-0", "lost-1") else []

    [found] = wait_for("the request of the last error", of_this_test)
    assert found["count"] >= 1
    assert 0 < found["first_at_ms"] <= found["last_at_ms"] < found["last_minute_ms"] + 60_000


def test_what_the_gateways_answered_is_shown(api: Api) -> None:
    admin, now_ms = api.admin(), api.services.stores.clock.now_ms()
    minute, stream_id = now_ms // MINUTE_MS, f"stream-{new_session_id()[:8]}"
    answers = [
        counts_of(Part.MEDIA, 200, 900, {Kept.SEGMENT: True, Kept.VERDICT: True}),
        counts_of(Part.MEDIA, 200, 50, {Kept.PLAYLIST: False, Kept.VERDICT: False}),
        counts_of(Part.MEDIA, 403, 50, {}),
        counts_of(Part.API, 500, 10, {}),
    ]
    counts = sum(answers, Counter())
    before = api.get(admin, "/monitoring/metrics")["gateway"]
    for row in ((minute, ""), (hour_of(minute), stream_id)):
        assert api.services.stores.usage.count(*row, counts, follower=new_session_id(), batch=1)
    gateway = api.get(admin, "/monitoring/metrics")["gateway"]
    assert gateway["media"]["egress_bytes"] == before["media"]["egress_bytes"] + 1_000
    assert gateway["api"]["answers_5xx"] == before["api"]["answers_5xx"] + 1
    listed = api.get(admin, "/monitoring/streams", at_ms=now_ms, limit=200)["items"]
    [stream] = [each for each in listed if each["stream_id"] == stream_id]
    answered = {"answers_2xx": 2, "answers_3xx": 0, "answers_4xx": 1, "answers_5xx": 0}
    assert stream == {
        "stream_id": stream_id,
        "hour_ms": hour_of(minute) * MINUTE_MS,
        "media": {**answered, "closed": 0, "egress_bytes": 1_000},
        "refusals": {"401": 0, "402": 0, "403": 1, "410": 0, "429": 0},
        "playlists": {"hits": 0, "misses": 1, "hit_ratio": 0.0},
        "segments": {"hits": 1, "misses": 0, "hit_ratio": 1.0},
        "verdicts": {"hits": 1, "misses": 1, "hit_ratio": 0.5},
    }
    assert api.get(admin, "/monitoring/streams", at_ms=0)["items"] == []


WRONG = ["streams at_ms -1", "streams at_ms 4102444800000", "streams at_ms soon", "streams limit 0"]
WRONG += ["streams stream_id stream-1", "streams cursor nonsense", "cut-offs day 2026-02-30", "metrics day 2026-02-01"]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_figures_are_not_asked_by_is_named(api: Api, wrong: str) -> None:
    path, name, value = wrong.split()
    refused = api.http.get(f"/monitoring/{path}", params={name: value}, headers=api.admin())
    assert refused.status_code == 400
    assert [each["field"] for each in refused.json()["errors"]] == [name]
