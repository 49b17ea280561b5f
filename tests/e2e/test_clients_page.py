"""What docs/clients.md says: the walk through the API, and ffplay, which a kick stops."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.conftest import LEASE_MS, STREAM_ID, TARGET_S, Platform, Viewer
from tests.e2e.test_main_job import start
from tests.fixtures.waiting import wait_for

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "clients.md").read_text()
# ffplay cannot replace its token, so one has to last for the test.
LONG_LEASE_MS = 60_000
PLAYED_S = 4.0
# It may still show what it has loaded.
END_S_MAX = 3 * TARGET_S + 8.0
POSITION = re.compile(rb"(\d+\.\d+) [AMV]-?[AMV]?:")


@contextmanager
def leases_of(platform: Platform, lease_ms: int) -> Iterator[None]:
    """Sell other leases of the suite's stream for a while."""
    platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"lease_ms": lease_ms})
    try:
        yield
    finally:
        platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"lease_ms": LEASE_MS})


def blocks(heading: str) -> list[str]:
    """Return the code blocks below a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```[a-z]*\n(.*?)```", section, flags=re.DOTALL)


def test_the_walk_through_the_api_prints_what_the_page_says(platform: Platform) -> None:
    script, printed = blocks("The API in one minute")
    with leases_of(platform, 10_000):  # as a reader has them
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env={"PATH": os.environ["PATH"], "B": platform.stack.url},
            capture_output=True,
            text=True,
            timeout=90,
        )
    assert (done.stdout, done.stderr) == (printed, "")


def positions(log_path: Path) -> list[float]:
    """Return the positions that ffplay has printed."""
    return [float(found) for found in POSITION.findall(log_path.read_bytes())]


def test_ffplay_plays_with_the_header_and_is_stopped_by_a_kick(
    platform: Platform, viewer: Callable[[int], Viewer], tmp_path: Path
) -> None:
    with leases_of(platform, LONG_LEASE_MS):
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
