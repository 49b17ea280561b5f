"""hls.js in headless Chromium plays a stream of the real platform with a viewer's token."""

import contextlib
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, TimeoutError

from infra.dashboard.build import install_packages
from infra.local.layout import ROOT
from tests.browser.browser import chromium
from tests.e2e.conftest import VIEWER_PASSWORD, Platform
from tests.fixtures.stack import Stack
from tests.fixtures.waiting import wait_for

PAGE = Path(__file__).with_name("page.html")
HLS_JS = ROOT / "admin" / "node_modules" / "hls.js" / "dist" / "hls.min.js"
PLAY_S_MIN, WAIT_S_MAX = 5.0, 60.0
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


class HeartbeatingViewer:
    """A viewer's session. `beat` pays for more when that is due."""

    def __init__(self, platform: Platform, headers: dict[str, str], stream_id: str) -> None:
        self._platform, self._headers = platform, headers
        self._answer = self._ask("start", stream_id=stream_id)
        self.session_id, self._seq = self._answer["session_id"], 1
        self._due = self._next()

    @property
    def token(self) -> str:
        return str(self._answer["play_token"])

    def beat(self) -> bool:
        """Send a heartbeat if one is due. Return whether there is a new token."""
        if time.monotonic() < self._due:
            return False
        self._seq += 1
        self._answer = self._ask("heartbeat", session_id=self.session_id, seq=self._seq)
        self._due = self._next()
        return True

    def stop(self) -> None:
        self._ask("stop", session_id=self.session_id)

    def _next(self) -> float:
        return time.monotonic() + self._answer["next_beat_in_ms"] / 1000

    def _ask(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self._platform.http.post(f"/playback/{path}", json=body, headers=self._headers)
        assert answer.is_success, answer.text
        return answer.json()


def answer_with(route: Route, *, path: Path) -> None:
    route.fulfill(path=path)


class BrowserPlayer:
    """hls.js in a page of the gateway's origin: the gateway must not send CORS headers."""

    def __init__(self, page: Page, viewer: HeartbeatingViewer, url: str) -> None:
        self._page, self._viewer = page, viewer
        for name, path in {"page.html": PAGE, "hls.js": HLS_JS}.items():
            page.route(f"{url}/hls-test/{name}", partial(answer_with, path=path))
        page.goto(f"{url}/hls-test/page.html")
        self._renew()
        page.evaluate("url => window.player.start(url)", f"/play/{viewer.session_id}/index.m3u8")

    def seen(self) -> dict[str, Any]:
        return self._page.evaluate("window.player.seen()")

    def switch_to(self, level: int) -> None:
        self._page.evaluate("level => window.player.switchTo(level)", level)

    def until(self, what: str, condition: str) -> dict[str, Any]:
        """Wait until the condition about `seen` holds, and pay meanwhile. Return what was seen then."""
        deadline = time.monotonic() + WAIT_S_MAX
        while time.monotonic() < deadline:
            if self._viewer.beat():
                self._renew()
            # The page polls, so that this wakes when it holds.
            with contextlib.suppress(TimeoutError):
                self._page.wait_for_function(
                    f"(() => {{ const seen = player.seen(); return {condition} }})()", timeout=1000
                )
                return self.seen()
        pytest.fail(f"within {WAIT_S_MAX:.0f} s there was no {what}: {self.seen()}")

    def _renew(self) -> None:
        self._page.evaluate("token => window.player.renew(token)", self._viewer.token)


def play(player: BrowserPlayer) -> dict[str, Any]:
    """Play, switch to the low rendition, and return what was seen at each moment."""
    first = player.until("picture", "seen.position > 0")
    before = player.until("playback", f"seen.position > {first['position'] + PLAY_S_MIN}")
    player.switch_to(0)
    player.until("switch", "seen.switched.at(-1) === 0")
    after = player.until("other picture", f"seen.height !== {before['height']}")
    # It continues in the other rendition.
    end = player.until("more", f"seen.position > {after['position'] + 1}")
    return {"first": first, "before": before, "after": after, "end": end}


def test_hls_js_plays_a_stream_and_switches_renditions(platform: Platform, stream_id: str) -> None:
    install_packages()
    viewer = HeartbeatingViewer(platform, platform.login(platform.add_viewer(1_000_000), VIEWER_PASSWORD), stream_id)
    with chromium() as browser:
        seen = play(BrowserPlayer(browser.new_page(), viewer, platform.stack.url))
    viewer.stop()
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
