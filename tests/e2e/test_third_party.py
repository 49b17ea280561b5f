"""A player that is not ours, and sends the header: it sees what is paid, and is stopped as everybody is."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import LEASE_MS, STREAM_ID, TARGET_S, House, Viewer, wait_for
from tests.e2e.test_main_job import start

# Such a player cannot take a new token while it plays, so one has to last for the test.
LONG_LEASE_MS = 60_000
PLAYED_S = 4.0
# What it has loaded it may still show; the gateway gives it nothing more.
END_S_MAX = 3 * TARGET_S + 8.0
POSITION = re.compile(rb"(\d+\.\d+) [AMV]-?[AMV]?:")


@pytest.fixture
def long_leases(house: House) -> Iterator[None]:
    house.operator("PATCH", f"/streams/{STREAM_ID}", json={"lease_ms": LONG_LEASE_MS})
    yield
    house.operator("PATCH", f"/streams/{STREAM_ID}", json={"lease_ms": LEASE_MS})


def positions(said: Path) -> list[float]:
    """The moments of the stream that ffplay has told to be at."""
    return [float(found) for found in POSITION.findall(said.read_bytes())]


@pytest.mark.usefixtures("long_leases")
def test_ffplay_plays_with_the_header_and_is_stopped_by_a_kick(
    house: House, viewer: Callable[[int], Viewer], tmp_path: Path
) -> None:
    session = start(house, viewer(1_000_000))
    said = tmp_path / "ffplay.log"
    headers = f"Authorization: Bearer {session['play_token']}\r\n"
    argv = ["ffplay", "-hide_banner", "-stats", "-autoexit", "-headers", headers, session["play_url"]]
    environ = {**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    with said.open("wb") as output:
        ffplay = subprocess.Popen(argv, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_for("picture", lambda: positions(said) or ffplay.poll() is not None, 30)
        first = positions(said)[0]
        wait_for("picture that moves", lambda: positions(said)[-1] > first + PLAYED_S, 30)
        house.operator("POST", "/playback/kick", json={"session_id": session["session_id"], "reason": "e2e"})
        kicked_at = time.monotonic()
        wait_for("end of the picture", lambda: stands(said) or ffplay.poll() is not None, 30)
        assert time.monotonic() - kicked_at < END_S_MAX
        assert b"403" in said.read_bytes()
    finally:
        ffplay.kill()
        ffplay.wait(10)


def stands(said: Path) -> bool:
    before = positions(said)[-1]
    time.sleep(1.0)
    return positions(said)[-1] == before
