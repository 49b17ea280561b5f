"""A stream as operators see it: its runtime, its log, its workers, its senders."""

from dataclasses import replace
from typing import Any

import httpx

from chalicelib.adapters.operations.dynamodb_workers import DynamoWorkers
from chalicelib.domain.operations.workers import PRESENT_MS, Worker
from chalicelib.domain.streams.issues.ingest_refusals import IngestRefusal, RefusalCode
from chalicelib.domain.streams.media_health import Repairs, SourceTrack, TrackKind
from chalicelib.domain.streams.pacing import Latency
from chalicelib.domain.streams.run_logs import RunLog, encode, run_log_key
from chalicelib.domain.streams.runtime import Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState
from tests.http.conftest import Api


def test_what_the_worker_reports_is_shown(api: Api) -> None:
    admin, stream_id = api.admin(), api.live_stream()
    runtime = api.get(admin, f"/streams/{stream_id}/runtime")
    assert (runtime["state"], runtime["worker_id"], runtime["epoch"]) == ("live", "worker-1", 1)
    assert runtime["manifest_age_ms"] is None
    claim = api.report(stream_id, RuntimeState.STALLED)
    now_ms = api.services.stores.clock.now_ms()
    api.services.stores.runtimes.renew(claim, now_ms, claim.expires_at_ms, now_ms - 5_000)
    aged = api.get(admin, f"/streams/{stream_id}/runtime")
    assert 5_000 <= aged["manifest_age_ms"] < 15_000
    assert api.http.get(f"/streams/{stream_id}", headers=admin).json()["state"] == "stalled"


def test_a_stream_that_was_never_delivered_has_no_outage(api: Api) -> None:
    admin = api.admin()
    created = api.http.post("/streams", json={"title": "New", "ingest": {"mode": "test"}}, headers=admin)
    assert created.status_code == 201, created.text
    looks = [api.get(admin, f"/streams/{created.json()['stream_id']}/runtime") for _ in range(2)]
    assert looks[0] == looks[1] and looks[0]["outages"] == []


def test_what_the_worker_found_of_the_source_is_shown(api: Api) -> None:
    admin, stream_id = api.admin(), api.live_stream()
    path = f"/streams/{stream_id}/runtime"
    before = api.get(admin, path)
    assert (before["tracks"], before["repairs"]) == ([], None)
    claim, now_ms = api.report(stream_id, RuntimeState.LIVE), api.services.stores.clock.now_ms()
    found = Runtime(
        stream_id=stream_id,
        state=RuntimeState.LIVE,
        reported_at_ms=now_ms,
        tracks=(SourceTrack(kind=TrackKind.AUDIO, track=2, program=1, codec="ac3", language="deu", is_played=True),),
        repairs=Repairs(silence_ms=40, drift_ppm=-300),
    )
    assert api.services.stores.runtimes.report(claim, found)
    shown = api.get(admin, path)
    [track] = shown["tracks"]
    assert (track["kind"], track["track"], track["language"], track["title"]) == ("audio", 2, "deu", None)
    assert (track["is_default"], track["is_played"]) == (False, True)
    assert shown["repairs"] == {**vars(Repairs()), "silence_ms": 40, "drift_ppm": -300}


def test_the_workers_that_are_there_are_listed(api: Api) -> None:
    admin, now_ms = api.admin(), api.services.stores.clock.now_ms()
    table = DynamoWorkers(api.services.settings.table_prefix)
    there = Worker(worker_id="w-there", capacity=4, stream_ids=("stream-1",), seen_at_ms=now_ms)
    for worker in (there, replace(there, worker_id="w-gone", seen_at_ms=now_ms - PRESENT_MS)):
        table.report(worker)
    [listed] = api.get(admin, "/workers")["items"]
    assert listed == {"worker_id": "w-there", "capacity": 4, "stream_ids": ["stream-1"], "seen_at_ms": now_ms}
    table.leave("w-there")
    assert api.get(admin, "/workers")["items"] == []
    assert api.http.get("/workers", params={"cursor": "nonsense"}, headers=admin).status_code == 400


def test_players_get_the_segment_to_begin_with(api: Api) -> None:
    viewer, stream_id = api.viewer(), api.live_stream(latency=Latency.LOW, segment_seconds=1)
    assert api.get(viewer, f"/streams/{stream_id}")["live_start_index"] == -2
    assert api.start(viewer, stream_id).json()["live_start_index"] == -2
    preview = api.http.post(f"/streams/{stream_id}/preview", headers=api.admin())
    assert preview.json()["live_start_index"] == -2


def test_what_the_encoder_said_is_shown_to_operators(api: Api) -> None:
    admin, stream_id = api.admin(), api.live_stream()
    path = f"/streams/{stream_id}/log"
    empty = api.get(admin, path)
    assert (empty["items"], empty["next_cursor"], empty["ingest_refusals"]) == ([], None, [])
    unopened = RunLog(worker_id="w1", run=None, source="primary", began_at_ms=4, source_lines=("no such host",))
    rest = {"lines": ("one", "two"), "source_lines": (), "notes": ("made 40 ms of silence",)}
    run = replace(unopened, run="1-2", began_at_ms=5, ending="killed", repairs=Repairs(silence_ms=40), **rest)
    api.services.stores.media.put(run_log_key(stream_id), encode([run, unopened]), "application/json")
    shown = []
    for log in (run, unopened):
        lists = {name: list(getattr(log, name)) for name in ("lines", "source_lines", "notes")}
        shown.append({**vars(log), **lists, "repairs": log.repairs and vars(log.repairs)})
    assert api.get(admin, path)["items"] == shown
    assert api.http.get("/streams/no-such-stream/log", headers=admin).status_code == 404


def test_what_the_ingest_refused_is_shown_to_operators(api: Api) -> None:
    admin = api.admin()
    listening = {"title": "x", "ingest": {"mode": "listen", "protocol": "rtmp"}}
    stream_id = api.http.post("/streams", json=listening, headers=admin).json()["stream_id"]
    api.services.streams.set_state(stream_id, DesiredState.LIVE)
    api.report(stream_id, RuntimeState.STARTING)
    now_ms = api.services.stores.clock.now_ms()
    older = IngestRefusal(code=RefusalCode.SILENT, count=1, last_at_ms=now_ms - 1)
    newer = IngestRefusal(code=RefusalCode.WRONG_KEY, count=3, last_at_ms=now_ms)
    api.services.ingest_refusals.add(stream_id, (older, newer))
    newest, silent = api.get(admin, f"/streams/{stream_id}/log")["ingest_refusals"]
    assert (newest["code"], newest["count"], newest["last_at_ms"]) == ("wrong_key", 3, now_ms)
    assert newest["detail"].startswith("A sender used a wrong, old or missing") and silent["code"] == "silent"
    assert api.get(admin, f"/streams/{stream_id}/runtime")["last_error"] == newest["detail"]


TEST = {"mode": "test"}
RTMP = {"mode": "listen", "protocol": "rtmp"}


def srt(port: int) -> dict[str, Any]:
    return {"mode": "listen", "protocol": "srt", "port": port}


def test_operators_see_where_to_send(api: Api) -> None:
    rtmp, backup = api.create_stream(ingest=RTMP), api.create_stream(ingest=TEST, backups=[srt(9_000)])
    assert rtmp["ingest_address"] == {
        "server": "rtmp://127.0.0.1:1935/live",
        "stream_key": f"{rtmp['stream_id']}?key={rtmp['ingest_key']}",
    }
    passphrase = f"passphrase={backup['ingest_key']}"
    assert backup["ingest_address"] == {"url": f"srt://127.0.0.1:9000?mode=caller&{passphrase}&pbkeylen=16"}
    assert api.create_stream(ingest=TEST)["ingest_address"] is None
    seen = api.get(api.viewer(0), f"/streams/{rtmp['stream_id']}")
    assert "ingest_address" not in seen and rtmp["ingest_key"] not in str(seen)


def test_a_key_is_replaced_and_only_who_listens_needs_a_new_ffmpeg(api: Api) -> None:
    admin = api.admin()
    for ingest, restarts in ((RTMP, 1), (srt(9_001), 1), (TEST, 0)):
        before = api.create_stream(ingest=ingest)
        path = f"/streams/{before['stream_id']}"
        answer = api.http.post(f"{path}/ingest-key", headers=admin)
        after = answer.json()
        assert (answer.status_code, len(after["ingest_key"])) == (200, 24)
        assert after["ingest_key"] != before["ingest_key"]
        assert after["generation"] == before["generation"] + restarts
        if ingest is not TEST:
            assert after["ingest_key"] in str(after["ingest_address"])
        assert api.get(admin, path) == after
        for said in (api.http.get("/audit", headers=admin).text, api.log.read_text()):
            assert before["ingest_key"] not in said and after["ingest_key"] not in said


def assert_taken(answer: httpx.Response, port: int, stream_id: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "ingest_port_taken"), answer.text
    assert (problem["port"], problem["stream_id"]) == (port, stream_id)
    assert f"port {port}." in problem["detail"] and f" {stream_id} " in problem["detail"]
    assert "from 1024 to 65535" in problem["detail"]


def test_a_port_is_taken_once_and_free_again_when_its_stream_leaves_it(api: Api) -> None:
    admin = api.admin()
    first = api.create_stream(ingest=srt(9_100))["stream_id"]
    other = api.create_stream(ingest=srt(9_101))["stream_id"]
    for settings in ({"ingest": srt(9_100)}, {"ingest": TEST, "backups": [srt(9_100)]}):
        assert_taken(api.try_create_stream(**settings), 9_100, first)
        for query in ("", "?dry_run=true"):
            edited = api.http.patch(f"/streams/{other}{query}", json=settings, headers=admin)
            assert_taken(edited, 9_100, first)
    assert api.http.get(f"/streams/{other}", headers=admin).json()["ingest"]["port"] == 9_101

    # As a backup it is the same port of the same stream.
    moved = {"ingest": TEST, "backups": [srt(9_100)]}
    assert api.http.patch(f"/streams/{first}", json=moved, headers=admin).status_code == 200
    assert_taken(api.try_create_stream(ingest=srt(9_100)), 9_100, first)
    assert api.http.patch(f"/streams/{first}", json={"backups": [srt(9_102)]}, headers=admin).status_code == 200
    assert api.http.patch(f"/streams/{other}", json={"ingest": srt(9_100)}, headers=admin).status_code == 200
    assert api.http.delete(f"/streams/{first}", headers=admin).status_code == 204
    assert api.try_create_stream(ingest=srt(9_102)).status_code == 201
