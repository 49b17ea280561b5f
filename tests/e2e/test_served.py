"""Served media is counted once, from the segment to the session in the API, also after a kill."""

import os
import signal
from collections.abc import Callable
from typing import Any

from tests.e2e.conftest import LEASE_MS, STREAM_ID, TARGET_S, Platform, Viewer
from tests.e2e.test_main_job import fetch, media_paths, start
from tests.fixtures.waiting import wait_for

ARRIVES_S_MAX = 40.0


def gateway_bytes(platform: Platform) -> int:
    """Return the bytes of the stream that the gateway sent in this hour and the one before."""
    now_ms = platform.operator("GET", "/monitoring/metrics")["at_ms"]
    pages = [
        platform.operator("GET", "/monitoring/streams", params={"at_ms": str(at_ms)})
        for at_ms in (now_ms, now_ms - 3_600_000)
    ]
    return sum(
        each["media"]["egress_bytes"] for page in pages for each in page["items"] if each["stream_id"] == STREAM_ID
    )


def wait_for_the_follower(platform: Platform) -> None:
    """Wait until the follower has read to the end of the log again."""
    alive = platform.stack.layout.run_dir / "usage.alive"
    before = alive.stat().st_mtime_ns
    wait_for("the follower", lambda: alive.stat().st_mtime_ns > before, ARRIVES_S_MAX)


def second_lease(platform: Platform, person: Viewer, session_id: str) -> dict[str, Any] | None:
    """Buy the second lease. Returns None while it is too early."""
    beat = {"session_id": session_id, "seq": 2}
    answer = platform.http.post("/playback/heartbeat", json=beat, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return None if answer.json()["outcome"] == "early" else answer.json()


def test_a_segment_counts_once_despite_repeated_fetches_and_kills(
    platform: Platform, viewer: Callable[[int], Viewer]
) -> None:
    person = viewer(100_000)
    session = start(platform, person)
    session_id, token = session["session_id"], session["play_token"]
    rendition, segment = media_paths(platform, session)

    def figures() -> dict[str, Any]:
        return person.get(f"/me/sessions/{session_id}")

    sizes = [len(fetch(platform, session_id, token, segment).content) for _ in range(3)]
    assert fetch(platform, session_id, token, rendition).status_code == 200
    wait_for("first figures", lambda: figures()["media_ms"] > 0, ARRIVES_S_MAX)
    first = figures()
    assert abs(first["media_ms"] - TARGET_S * 1000) < 500
    assert first["media_bytes"] > sum(sizes)
    wait_for("the stream's figures", lambda: gateway_bytes(platform) >= first["media_bytes"], ARRIVES_S_MAX)
    # A follower that is killed loses no lines.
    killed = platform.stack.pid("usage")
    os.kill(killed, signal.SIGKILL)
    # The first lease may have expired meanwhile.
    bought = wait_for("second lease", lambda: second_lease(platform, person, session_id), LEASE_MS / 1000)
    token = bought["play_token"]
    wait_for("a newer segment", lambda: media_paths(platform, {**session, "play_token": token})[1] != segment, 4)
    _, newer = media_paths(platform, {**session, "play_token": token})
    for path in (segment, newer, newer):
        assert fetch(platform, session_id, token, path).status_code == 200
    wait_for("figures of both", lambda: figures()["media_ms"] > first["media_ms"], ARRIVES_S_MAX)
    both = figures()
    assert abs(both["media_ms"] - 2 * TARGET_S * 1000) < 1_000
    platform.http.post("/playback/stop", json={"session_id": session_id}, headers=person.headers)
    assert platform.stack.pid("usage") not in (0, killed)
    for _ in range(2):
        wait_for_the_follower(platform)
        assert figures()["media_ms"] == both["media_ms"], "nothing is added twice"
