"""Operators' metrics: health, sessions, the gateways' responses."""

from collections import Counter

import pytest

from chalicelib.domain.ids import new_session_id
from chalicelib.domain.operations.traffic import MINUTE_MS, Kept, Part, counts_of, hour_of
from tests.http.conftest import Api


def test_health_and_figures(api: Api) -> None:
    assert api.get({}, "/healthz")["dependencies"] == {"tables": "ok", "media": "ok"}
    admin = api.admin()
    api.try_login("unknown@local", "x")
    api.watch(api.viewer())
    metrics = api.get(admin, "/monitoring/metrics")
    assert metrics["active_sessions"] >= 1
    assert {"points_spent_per_minute", "login_failures", "playback_errors", "cut_offs"} <= set(metrics)
    assert isinstance(api.get(admin, "/monitoring/errors")["items"], list)


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
