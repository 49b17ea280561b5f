"""An SRT port belongs to one stream, also for concurrent requests."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.http.conftest import Api

TEST = {"mode": "test"}


def srt(port: int) -> dict[str, Any]:
    return {"mode": "listen", "protocol": "srt", "port": port}


def create(api: Api, admin: dict[str, str], **settings: Any) -> httpx.Response:
    return api.http.post("/streams", json={"title": "A sender's", **settings}, headers=admin)


def assert_taken(answer: httpx.Response, port: int, stream_id: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "ingest_port_taken"), answer.text
    assert (problem["port"], problem["stream_id"]) == (port, stream_id)
    assert f"port {port}." in problem["detail"] and f" {stream_id} " in problem["detail"]
    assert "from 1024 to 65535" in problem["detail"]


def test_a_port_is_taken_once_and_free_again_when_its_stream_leaves_it(api: Api) -> None:
    admin = api.admin()
    first = create(api, admin, ingest=srt(9_100)).json()["stream_id"]
    other = create(api, admin, ingest=srt(9_101)).json()["stream_id"]
    for settings in ({"ingest": srt(9_100)}, {"ingest": TEST, "backups": [srt(9_100)]}):
        assert_taken(create(api, admin, **settings), 9_100, first)
        for query in ("", "?dry_run=true"):
            edited = api.http.patch(f"/streams/{other}{query}", json=settings, headers=admin)
            assert_taken(edited, 9_100, first)
    assert api.http.get(f"/streams/{other}", headers=admin).json()["ingest"]["port"] == 9_101

    # As a backup it is the same port of the same stream.
    moved = {"ingest": TEST, "backups": [srt(9_100)]}
    assert api.http.patch(f"/streams/{first}", json=moved, headers=admin).status_code == 200
    assert_taken(create(api, admin, ingest=srt(9_100)), 9_100, first)
    assert api.http.patch(f"/streams/{first}", json={"backups": [srt(9_102)]}, headers=admin).status_code == 200
    assert api.http.patch(f"/streams/{other}", json={"ingest": srt(9_100)}, headers=admin).status_code == 200
    assert api.http.delete(f"/streams/{first}", headers=admin).status_code == 204
    assert create(api, admin, ingest=srt(9_102)).status_code == 201


def test_of_many_who_create_at_once_one_gets_the_port(api: Api) -> None:
    admin = api.admin()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: create(api, admin, ingest=srt(9_200)), range(8)))
    (won,) = [answer.json()["stream_id"] for answer in answers if answer.status_code == 201]
    for answer in answers:
        if answer.status_code != 201:
            assert_taken(answer, 9_200, won)
