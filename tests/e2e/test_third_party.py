"""Another player with the token in a header plays paid media, and is stopped by a kick."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import LEASE_MS, STREAM_ID, TARGET_S, Platform, Viewer
from tests.e2e.test_main_job import start
from tests.fixtures.waiting import wait_for

# This player cannot replace its token, so one has to last for the test.
LONG_LEASE_MS = 60_000
PLAYED_S = 4.0
# It may still show what it has loaded.
END_S_MAX = 3 * TARGET_S + 8.0
POSITION = re.compile(rb"(\d+\.\d+) [AMV]-?[AMV]?:")


@pytest.fixture
def long_leases(platform: Platform) -> Iterator[None]:
    platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"lease_ms": LONG_LEASE_MS})
    yield
    platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"lease_ms": LEASE_MS})


def positions(log_path: Path) -> list[float]:
    """Return the positions that ffplay has printed."""
    return [float(found) for found in POSITION.findall(log_path.read_bytes())]


@pytest.mark.usefixtures("long_leases")
def test_ffplay_plays_with_the_header_and_is_stopped_by_a_kick(
    platform: Platform, viewer: Callable[[int], Viewer], tmp_path: Path
) -> None:
    session = start(platform, viewer(1_000_000))
    log_path = tmp_path / "ffplay.log"
    headers = f"Authorization: Bearer {session['play_token']}\r\n"
    argv = ["ffplay", "-hide_banner", "-stats", "-autoexit", "-headers", headers, session["play_url"]]
    environ = {**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    with log_path.open("wb") as output:
        ffplay = subprocess.Popen(argv, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_for("picture", lambda: positions(log_path) or ffplay.poll() is not None, 30)
        first = positions(log_path)[0]
        wait_for("picture that moves", lambda: positions(log_path)[-1] > first + PLAYED_S, 30)
        platform.operator("POST", "/playback/kick", json={"session_id": session["session_id"], "reason": "e2e"})
        wait_for("end of the picture", lambda: has_stopped(log_path) or ffplay.poll() is not None, END_S_MAX)
        assert b"403" in log_path.read_bytes()
    finally:
        ffplay.kill()
        ffplay.wait(10)


def has_stopped(log_path: Path) -> bool:
    before = positions(log_path)[-1]
    time.sleep(1.0)
    return positions(log_path)[-1] == before
