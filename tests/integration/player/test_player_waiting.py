"""`player play --wait` with real mpv: the points end, the picture stays, and it goes on after a top-up."""

import json
import signal
import time

import pytest

from tests.fixtures.waiting import eventually
from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player, PlayProcess

# From the credit until mpv plays again.
RESUME_S_MAX = 2.0


def wait_for_points(platform: PlatformServer, viewer: Player, *options: str, points: int = 2_500) -> PlayProcess:
    """Start a play with few points, and return it once it waits for more."""
    platform.set_stream(lease_ms=1_000)
    platform.balance = points
    playback = viewer.play("--wait=1m", *options)
    platform.wait_for("GET", "/me/wallet", timeout_s=30)
    return playback


def is_still(playback: PlayProcess) -> bool:
    """Return whether the picture stays."""
    return playback.mpv("get_property", "core-idle") is True


def test_a_credit_goes_on_in_the_same_mpv(platform: PlatformServer, viewer: Player) -> None:
    playback = wait_for_points(platform, viewer, "--max-points", "40")
    eventually(lambda: is_still(playback), 20, "mpv has shown what was fetched")
    (pid,) = playback.mpv_pids()
    waiting_at, shown = time.monotonic(), playback.position()
    platform.wait_for("GET", "/me/wallet", 3, since=waiting_at)
    assert playback.mpv("get_property", "current-vo") == "null" and playback.position() == shown, "the picture stays"
    assert platform.seen("GET", "/play/", since=waiting_at) == [] == platform.seen("POST", "/playback", since=waiting_at)
    credited_at = time.monotonic()
    platform.top_up(20_000, "top-up-1")
    eventually(lambda: playback.position() > shown, 10, "mpv plays on")
    took_s = time.monotonic() - credited_at
    print(f"from the credit to the picture: {took_s:.2f} s")
    assert took_s < RESUME_S_MAX
    assert playback.mpv_pids() == [pid]
    first, second = (r.body for r in platform.seen("POST", "/playback/start"))
    assert (first["max_points"], second["max_points"]) == (40, 37), "the remaining whole points"
    assert first["idempotency_key"] != second["idempotency_key"]
    status, receipt = playback.quit()
    assert (status, receipt["end_reason"], len(receipt["session_ids"])) == (0, "viewer_stopped", 2)
    assert receipt["spent_millipoints"] == 22_500 - platform.balance
