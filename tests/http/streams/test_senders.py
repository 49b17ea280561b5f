"""Streams with senders: where they send, with which key, and that a port belongs to one stream."""

from typing import Any

import httpx

from tests.http.conftest import Api

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
