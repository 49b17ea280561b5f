"""The address for senders, as operators see it, and its key, which can be replaced."""

from tests.http.conftest import Api

TEST = {"mode": "test"}
RTMP = {"mode": "listen", "protocol": "rtmp"}
SRT = {"mode": "listen", "protocol": "srt", "port": 9_000}


def create(api: Api, admin: dict[str, str], **settings: object) -> dict[str, object]:
    answer = api.http.post("/streams", json={"title": "A sender's", **settings}, headers=admin)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_operators_see_where_to_send(api: Api) -> None:
    admin = api.admin()
    rtmp, srt = create(api, admin, ingest=RTMP), create(api, admin, ingest=TEST, backups=[SRT])
    assert rtmp["ingest_address"] == {
        "server": "rtmp://127.0.0.1:1935/live",
        "stream_key": f"{rtmp['stream_id']}?key={rtmp['ingest_key']}",
    }
    passphrase = f"passphrase={srt['ingest_key']}"
    assert srt["ingest_address"] == {"url": f"srt://127.0.0.1:9000?mode=caller&{passphrase}&pbkeylen=16"}
    assert create(api, admin, ingest=TEST)["ingest_address"] is None
    seen = api.http.get(f"/streams/{rtmp['stream_id']}", headers=api.viewer(0)).json()
    assert "ingest_address" not in seen and rtmp["ingest_key"] not in str(seen)


def test_a_key_is_replaced_and_only_who_listens_needs_a_new_ffmpeg(api: Api) -> None:
    admin = api.admin()
    for ingest, restarts in ((RTMP, 1), ({**SRT, "port": 9_001}, 1), (TEST, 0)):
        before = create(api, admin, ingest=ingest)
        path = f"/streams/{before['stream_id']}"
        answer = api.http.post(f"{path}/ingest-key", headers=admin)
        after = answer.json()
        assert (answer.status_code, len(after["ingest_key"])) == (200, 24)
        assert after["ingest_key"] != before["ingest_key"]
        assert after["generation"] == before["generation"] + restarts
        if ingest is not TEST:
            assert after["ingest_key"] in str(after["ingest_address"])
        assert api.http.get(path, headers=admin).json() == after


def test_that_a_key_was_replaced_is_kept_but_no_key(api: Api) -> None:
    admin = api.admin()
    stream = create(api, admin, ingest=RTMP)
    after = api.http.post(f"/streams/{stream['stream_id']}/ingest-key", headers=admin).json()
    audit = api.http.get("/audit", headers=admin)
    kept = [each for each in audit.json()["items"] if each["target"] == stream["stream_id"]]
    assert [each["action"] for each in kept] == ["stream.ingest-key", "stream.create"]
    for said in (audit.text, api.log.read_text()):
        assert stream["ingest_key"] not in said and after["ingest_key"] not in said


def test_only_operators_replace_keys_and_only_of_streams_that_are_there(api: Api) -> None:
    admin = api.admin()
    path = f"/streams/{create(api, admin, ingest=RTMP)['stream_id']}"
    assert api.http.post(f"{path}/ingest-key", headers=api.viewer(0)).status_code == 403
    assert api.http.post(f"{path}/ingest-key").status_code == 401
    assert api.http.delete(path, headers=admin).status_code == 204
    for gone in (path, "/streams/nowhere"):
        answer = api.http.post(f"{gone}/ingest-key", headers=admin)
        assert (answer.status_code, answer.json()["code"]) == (404, "stream_not_found")
