"""Operators' metrics: health, sessions, the gateways' responses."""

from collections import Counter

import pytest

from chalicelib.domain.ids import new_session_id
from chalicelib.domain.operations.traffic import MINUTE_MS, Kept, Part, counts_of, hour_of
from tests.http.conftest import Api


def test_health_and_figures(api: Api) -> None:
    health = api.http.get("/healthz")
    assert health.status_code == 200
    assert health.json()["dependencies"] == {"tables": "ok", "media": "ok"}
    admin = api.admin()
    api.http.post("/auth/login", json={"email": "unknown@local", "password": "x"})
    api.start(api.viewer(), api.live_stream())
    metrics = api.http.get("/monitoring/metrics", headers=admin).json()
    assert metrics["active_sessions"] >= 1
    assert {"points_spent_per_minute", "login_failures", "playback_errors", "cut_offs"} <= set(metrics)
    assert isinstance(api.http.get("/monitoring/errors", headers=admin).json()["items"], list)


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
    before = api.http.get("/monitoring/metrics", headers=admin).json()["gateway"]
    for row in ((minute, ""), (hour_of(minute), stream_id)):
        assert api.services.stores.usage.count(*row, counts, follower=new_session_id(), batch=1)
    gateway = api.http.get("/monitoring/metrics", headers=admin).json()["gateway"]
    assert gateway["media"]["egress_bytes"] == before["media"]["egress_bytes"] + 1_000
    assert gateway["api"]["answers_5xx"] == before["api"]["answers_5xx"] + 1
    params = {"at_ms": str(now_ms)}
    listed = api.http.get("/monitoring/streams", params={**params, "limit": "200"}, headers=admin).json()["items"]
    [stream] = [each for each in listed if each["stream_id"] == stream_id]
    assert stream == {
        "stream_id": stream_id,
        "hour_ms": hour_of(minute) * MINUTE_MS,
        "media": {
            "answers_2xx": 2,
            "answers_3xx": 0,
            "answers_4xx": 1,
            "answers_5xx": 0,
            "closed": 0,
            "egress_bytes": 1_000,
        },
        "refusals": {"401": 0, "402": 0, "403": 1, "410": 0, "429": 0},
        "playlists": {"hits": 0, "misses": 1, "hit_ratio": 0.0},
        "segments": {"hits": 1, "misses": 0, "hit_ratio": 1.0},
        "verdicts": {"hits": 1, "misses": 1, "hit_ratio": 0.5},
    }
    assert api.http.get("/monitoring/streams", params={"at_ms": "0"}, headers=admin).json()["items"] == []


@pytest.mark.parametrize("path", ["/monitoring/metrics", "/monitoring/streams", "/monitoring/cut-offs"])
def test_figures_are_for_operators(api: Api, path: str) -> None:
    assert api.http.get(path, headers=api.viewer(0)).status_code == 403
    assert api.http.get(path).status_code == 401


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/monitoring/streams", "at_ms", "-1"),
        ("/monitoring/streams", "at_ms", "4102444800000"),
        ("/monitoring/streams", "at_ms", "soon"),
        ("/monitoring/streams", "limit", "0"),
        ("/monitoring/streams", "stream_id", "stream-1"),
        ("/monitoring/streams", "cursor", "nonsense"),
        ("/monitoring/cut-offs", "day", "2026-02-30"),
        ("/monitoring/metrics", "day", "2026-02-01"),
    ],
)
def test_what_figures_are_not_asked_by_is_named(api: Api, path: str, name: str, value: str) -> None:
    refused = api.http.get(path, params={name: value}, headers=api.admin())
    assert refused.status_code == 400
    assert [each["field"] for each in refused.json()["errors"]] == [name]
