"""The canary's checks: each lie of a server is the failure of its step, and the session is ended afterwards."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import canary.run as run_module
import player.http.client as client_module
from canary.credentials import Credentials
from canary.run import MESSAGE, Run, StepResult
from chalicelib.domain.operations.canary import CanaryStep

URL, SESSION, EARLIER = "http://tv.test", "canary" + "a" * 20, "canary" + "b" * 20
CREDENTIALS = Credentials(email="canary@local", password="secret", service_key="tck_key")
MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n"
MEDIA = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n" + "".join(f"#EXTINF:2,\n{n}.ts\n" for n in range(9))
# What an honest server answers, by method and path. A list is one answer after the other.
BEAT = {"session_id": SESSION, "play_token": "t", "expires_in": 60, "lease_ms": 5_000, "balance_millipoints": 1}
BEAT |= {"next_beat_in_ms": 5, "rate_millipoints_per_minute": 60_000, "charged_millipoints": 5_000, "play_url": ""}
STREAM = {"stream_id": "news", "state": "live", "rate_millipoints_per_minute": 60_000}
SETTLED = {"session_id": EARLIER, "kind": "viewing", "ended_at_ms": 1_000, "settled_at_ms": 2_000, "media_ms": 2_000}
SETTLED |= {"rate_millipoints_per_minute": 60_000, "charged_millipoints": 2_000, "settled_ms": -500}
SETTLED |= {"settled_millipoints": 500}
LINES = [
    {"version": 12, "session_id": SESSION, "delta_millipoints": 4_000},
    {"version": 11, "session_id": SESSION, "delta_millipoints": -10_000},
    {"version": 10, "session_id": EARLIER, "delta_millipoints": -7},
]
BEFORE, AFTER = ({"version": v, "balance_millipoints": b} for v, b in ((10, 90_000), (12, 84_000)))
HONEST: dict[str, Any] = {
    "POST /auth/login": {"access_token": "a", "refresh_token": "r"},
    "GET /streams": {"items": [{**STREAM, "state": "stopped"}, STREAM]},
    "GET /me/wallet": [BEFORE, AFTER],
    "POST /playback/start": {**BEAT, "play_url": f"{URL}/play/x/index.m3u8"},
    "GET /play/x/index.m3u8": MASTER,
    "GET /play/x/720p/index.m3u8": MEDIA,
    "GET /play/x/720p/6.ts": ["media", 403],
    "POST /playback/heartbeat": BEAT,
    "POST /playback/kick": {"end_reason": "kicked", "message": MESSAGE, "charged_millipoints": 6_000},
    f"GET /me/sessions/{SESSION}": {"charged_millipoints": 6_000},
    "GET /me/ledger": {"items": LINES},
    "GET /me/sessions": {"items": [{**SETTLED, "session_id": SESSION, "ended_at_ms": time.time() * 1000}, SETTLED]},
    f"GET /me/sessions/{EARLIER}": SETTLED,
    "POST /playback/stop": {},
    "POST /auth/logout": 204,
}


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[list[StepResult], list[str]]]:
    """Run the canary against these answers, and return its steps and the requests that it sent."""

    def run(**changed: Any) -> tuple[list[StepResult], list[str]]:
        answers = {name: [*each] if isinstance(each, list) else each for name, each in {**HONEST, **changed}.items()}
        seen: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(name := f"{request.method} {request.url.path}")
            found = answers[name]
            if isinstance(found, list):
                found = found.pop(0) if len(found) > 1 else found[0]
            if isinstance(found, int):
                return httpx.Response(found, json={} if found != 204 else None)
            return httpx.Response(200, text=found if isinstance(found, str) else json.dumps(found))

        def client(url: str, **settings: Any) -> httpx.Client:
            return httpx.Client(transport=httpx.MockTransport(answer), **settings)

        for module in (run_module, client_module):
            monkeypatch.setattr(module, "client_for", client)
        monkeypatch.setattr(run_module, "CUT_OFF_S_MAX", 0.1)
        return list(Run(URL, CREDENTIALS, None).steps()), seen

    return run


def test_an_honest_server_passes_every_step(serve: Callable[..., Any]) -> None:
    steps, seen = serve()
    assert [(each.step, each.failure) for each in steps] == [(step, "") for step in CanaryStep]
    assert "POST /playback/stop" not in seen and seen[-1] == "POST /auth/logout"


@pytest.mark.parametrize(
    ("step", "changed", "words"),
    [
        ("login", {"POST /auth/login": 401}, "HTTP status 401"),
        ("stream", {"GET /streams": {"items": [{**STREAM, "rate_millipoints_per_minute": 0}]}}, "no stream that costs"),
        ("start", {"POST /playback/start": 402}, "HTTP status 402"),
        ("start", {"POST /playback/start": {}}, "another form"),
        ("playlist", {"GET /play/x/720p/index.m3u8": "#EXTM3U\n"}, "no segments"),
        ("playlist", {"GET /play/x/index.m3u8": 503}, "answers 503"),
        ("segment", {"GET /play/x/720p/6.ts": ""}, "empty"),
        ("pay", {"POST /playback/heartbeat": {**BEAT, "charged_millipoints": 0}}, "charged 0"),
        ("kick", {"POST /playback/kick": {"end_reason": "viewer_stopped", "message": None}}, "viewer_stopped"),
        ("cut_off", {"GET /play/x/720p/6.ts": "media"}, "still served"),
        ("bill", {f"GET /me/sessions/{SESSION}": {"charged_millipoints": 6_001}}, "cost 6001"),
        ("bill", {"GET /me/ledger": {"items": LINES[1:]}}, "ledger says 10000"),
        (
            "bill",
            {"GET /me/wallet": [HONEST["GET /me/wallet"][0], {"version": 12, "balance_millipoints": 84_001}]},
            "84001",
        ),
        ("bill", {f"GET /me/sessions/{EARLIER}": {**SETTLED, "settled_at_ms": None}}, "not settled"),
        ("bill", {f"GET /me/sessions/{EARLIER}": {**SETTLED, "charged_millipoints": 2_006}}, "for 2000 ms served"),
        ("bill", {f"GET /me/sessions/{EARLIER}": {**SETTLED, "charged_millipoints": 1_994}}, "for 2000 ms served"),
    ],
)
def test_a_lie_fails_its_step(serve: Callable[..., Any], step: str, changed: dict[str, Any], words: str) -> None:
    steps, seen = serve(**changed)
    assert steps[-1].step == step and words in steps[-1].failure, steps[-1]
    assert not any(each.failure for each in steps[:-1])
    was_started, was_kicked = (
        "POST /playback/heartbeat" in seen or step in ("playlist", "segment"),
        step in ("cut_off", "bill"),
    )
    assert ("POST /playback/stop" in seen) == (was_started and not was_kicked)
    assert (seen[-1] == "POST /auth/logout") == (step != "login")


def test_what_the_stages_settings_keep_is_no_fault(serve: Callable[..., Any]) -> None:
    kept = {**SETTLED, "charged_millipoints": 2_500, "settled_millipoints": 0}
    steps, _ = serve(**{f"GET /me/sessions/{EARLIER}": kept})
    assert not steps[-1].failure and len(steps) == len(CanaryStep)
