"""hls.js in headless Chromium plays a stream of the real platform with a viewer's token."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import VIEWER_PASSWORD, Platform
from tests.fixtures.stack import Stack
from tests.fixtures.waiting import wait_for

HERE = Path(__file__).parent
CHROMIUM = Path("/usr/bin/chromium")
PLAY_S_MIN, PLAY_S_MAX = 5.0, 150.0
STREAM = {
    "title": "Two renditions",
    "ingest": {"mode": "test"},
    "abr_profile": "custom",
    # Chromium decodes on the same CPU, so renditions are small.
    "custom_renditions": [
        {"name": "high", "width": 640, "height": 360, "video_bps": 700_000, "audio_bps": 96_000},
        {"name": "low", "width": 320, "height": 180, "video_bps": 250_000, "audio_bps": 64_000},
    ],
    "segment_seconds": 1,
    "lease_ms": 60_000,
}


@pytest.fixture
def platform(stack: Stack) -> Iterator[Platform]:
    with httpx.Client(base_url=stack.url, timeout=20) as http:
        yield Platform(stack, http)


@pytest.fixture
def stream_id(platform: Platform) -> Iterator[str]:
    made = str(platform.operator("POST", "/streams", json=STREAM)["stream_id"])
    platform.operator("POST", f"/streams/{made}/state", json={"state": "live"})
    wait_for("live stream", lambda: platform.operator("GET", f"/streams/{made}/runtime")["state"] == "live", 60)
    yield made
    platform.operator("DELETE", f"/streams/{made}")


def play(platform: Platform, headers: dict[str, str], stream_id: str, profile: Path) -> dict[str, Any]:
    """Let the browser play the stream, and send heartbeats meanwhile."""

    def ask(path: str, **body: Any) -> dict[str, Any]:
        answer = platform.http.post(f"/playback/{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    beat = ask("start", stream_id=stream_id)
    session_id, seq = beat["session_id"], 1
    argv = ["node", str(HERE / "play.mjs"), platform.stack.url, f"/play/{session_id}/index.m3u8", str(CHROMIUM)]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([*argv, str(profile)], text=True, **pipes) as browser:
        assert browser.stdin and browser.stdout and browser.stderr
        deadline = time.monotonic() + PLAY_S_MAX
        try:
            while True:
                browser.stdin.write(beat["play_token"] + "\n")
                browser.stdin.flush()
                try:
                    browser.wait(min(beat["next_beat_in_ms"] / 1000, deadline - time.monotonic()))
                    break
                except subprocess.TimeoutExpired:
                    assert time.monotonic() < deadline, "the browser hangs"
                seq += 1
                beat = ask("heartbeat", session_id=session_id, seq=seq)
            assert browser.returncode == 0, browser.stderr.read()
            seen = json.loads(browser.stdout.read())
        finally:
            browser.kill()
    ask("stop", session_id=session_id)
    return seen


def test_hls_js_plays_a_stream_and_switches_renditions(platform: Platform, stream_id: str, tmp_path: Path) -> None:
    for missing in [program for program in ("node", str(CHROMIUM)) if not shutil.which(program)]:
        pytest.fail(f"{missing} is missing: infra/local/setup/install.sh test installs it")
    assert (HERE / "node_modules").is_dir(), "hls.js is missing: infra/local/setup/install.sh test installs it"
    headers = platform.login(platform.add_viewer(1_000_000), VIEWER_PASSWORD)
    seen = play(platform, headers, stream_id, tmp_path / "profile")
    low, high = seen["end"]["levels"]
    published = platform.operator("GET", f"/streams/{stream_id}/runtime")["published"]
    for level, expected in zip((high, low), published, strict=True):
        assert (level["width"], level["height"], level["frameRate"]) == (
            expected["width"],
            expected["height"],
            expected["fps"],
        )
        assert f"{level['video']},{level['audio']}" == expected["codecs"]
        assert level["bitrate"] > 100_000 and 0 < level["average"] <= level["bitrate"]
    first, before, after, end = (seen[moment] for moment in ("first", "before", "after", "end"))
    assert before["position"] - first["position"] >= PLAY_S_MIN and before["height"] == 360
    assert after["height"] == 180 and after["switched"][-1] == 0
    assert end["position"] > after["position"] and not end["paused"]
    assert end["fatal"] == []
