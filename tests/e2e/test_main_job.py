"""Log in, watch in mpv, pay for each lease, and lose access, with real ffmpeg, nginx and mpv."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx

from infra.local.processes import process_groups
from tests.e2e.conftest import STREAM_ID, TARGET_S, Platform, Viewer
from tests.fixtures.waiting import wait_for
from tests.integration.player.player_harness import PlayProcess

END_S_MAX = TARGET_S + 1.0
FFMPEG_ENDS_S_MAX = 3.0
LIVE_AGAIN_S_MAX = 6.0


def play(viewer: Viewer, *words: str) -> PlayProcess:
    playback = viewer.player.play(*words)
    wait_for("picture", lambda: playback.is_shown() or playback.process.poll() is not None, 40)
    assert playback.process.poll() is None, playback.process.communicate()
    return playback


def ended_after_s(playback: PlayProcess, since: float) -> float:
    """Wait for the end of mpv, and return the seconds since `since`."""
    while playback.mpv_pids():
        assert time.monotonic() - since < 30
        time.sleep(0.02)
    return time.monotonic() - since


def start(platform: Platform, viewer: Viewer) -> dict[str, Any]:
    answer = platform.http.post("/playback/start", json={"stream_id": STREAM_ID}, headers=viewer.headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def renew(platform: Platform, viewer: Viewer, session_id: str) -> dict[str, Any]:
    """Return a play token for another client of the viewer's session."""
    return platform.http.post("/playback/renew", json={"session_id": session_id}, headers=viewer.headers).json()


def fetch(platform: Platform, session_id: str, token: str | None, path: str = "index.m3u8") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return platform.http.get(f"/play/{session_id}/{path}", headers=headers)


def media_paths(platform: Platform, session: dict[str, Any]) -> tuple[str, str]:
    """Return a rendition's playlist and its newest segment."""
    index = fetch(platform, session["session_id"], session["play_token"])
    assert index.status_code == 200, index.text
    rendition = next(line for line in index.text.splitlines() if line.endswith(".m3u8"))
    playlist = fetch(platform, session["session_id"], session["play_token"], rendition)
    assert playlist.headers["cache-control"] == "no-store"
    segment = [line for line in playlist.text.splitlines() if line.endswith(".ts")][-1]
    return rendition, f"{rendition.rpartition('/')[0]}/{segment}"


def test_play_until_the_points_are_gone(platform: Platform, viewer: Callable[[int], Viewer]) -> None:
    person = viewer(13_000)
    playback = play(person)
    # Another client with the same token is cut off, too.
    [session] = person.wallet()["sessions"]
    renewed = renew(platform, person, session["session_id"])
    rendition, segment = media_paths(platform, renewed)
    assert fetch(platform, session["session_id"], renewed["play_token"], segment).status_code == 200
    wait_for("spent wallet", lambda: person.wallet()["balance_millipoints"] == 0)
    [session] = person.wallet()["sessions"]
    ends_at = time.monotonic() + session["paid_until_ms"] / 1000 - time.time()
    exit_status, receipt = playback.finish(60)
    assert ended_after_s(playback, ends_at) < END_S_MAX
    assert (exit_status, receipt["end_reason"]) == (3, "balance_exhausted")
    assert receipt["frames_shown"] > 100
    assert (receipt["spent_millipoints"], receipt["balance_millipoints"]) == (13_000, 0)
    assert 12_500 <= receipt["watched_ms"] <= 15_000
    leases = [item["delta_millipoints"] for item in person.ledger() if item["kind"] == "lease"]
    assert leases == [-5_000, -5_000, -3_000]
    person.check_ledger()
    for path in ("index.m3u8", rendition, segment):
        refused = fetch(platform, session["session_id"], renewed["play_token"], path)
        assert (refused.status_code, refused.json()["end_reason"]) == (402, "balance_exhausted")
    assert not playback.mpv_pids()


def test_a_kick_ends_the_picture_with_its_own_reason(platform: Platform, viewer: Callable[[int], Viewer]) -> None:
    person = viewer(100_000)
    playback = play(person)
    [session] = person.wallet()["sessions"]
    renewed = renew(platform, person, session["session_id"])
    _, segment = media_paths(platform, renewed)
    kicked = platform.operator("POST", "/playback/kick", json={"session_id": session["session_id"], "reason": "e2e"})
    answered = time.monotonic()
    for path in ("index.m3u8", segment):
        refused = fetch(platform, session["session_id"], renewed["play_token"], path)
        assert (refused.status_code, refused.json()["end_reason"]) == (403, "kicked")
    assert ended_after_s(playback, answered) < END_S_MAX
    exit_status, receipt = playback.finish()
    assert exit_status == 8
    assert receipt["end_reason"] == "kicked"
    assert receipt["spent_millipoints"] == kicked["charged_millipoints"]
    assert receipt["balance_millipoints"] == 100_000 - kicked["charged_millipoints"]
    person.check_ledger()


def test_pausing_the_stream_ends_its_viewers_and_its_encoder(
    platform: Platform, viewer: Callable[[int], Viewer]
) -> None:
    person = viewer(100_000)
    playback = play(person)
    encoders = platform.encoders()
    assert encoders
    try:
        platform.operator("POST", f"/streams/{STREAM_ID}/state", json={"state": "paused"})
        answered = time.monotonic()
        assert ended_after_s(playback, answered) < END_S_MAX
        wait_for("end of the encoder", lambda: not any(map(process_groups.find_process, encoders)), FFMPEG_ENDS_S_MAX)
        exit_status, receipt = playback.finish()
        assert (exit_status, receipt["end_reason"]) == (8, "stream_paused")
        person.check_ledger()
        check_refund(person)
        refused = person.player.run("play", STREAM_ID)
        assert (refused.returncode, "stream_not_live" in refused.stderr) == (4, True), refused.stderr
    finally:
        live_after_s = platform.go_live()
    assert live_after_s < LIVE_AGAIN_S_MAX


def check_refund(person: Viewer) -> None:
    """Check that the session cost its time: leases after the end are refunded."""
    [session] = person.sessions()
    assert session["end_reason"] == "stream_paused"
    [refund] = [line["delta_millipoints"] for line in person.ledger() if line["kind"] == "refund"]
    leases = [-line["delta_millipoints"] for line in person.ledger() if line["kind"] == "lease"]
    # A point a second, rounded up for each lease; less after a late heartbeat, since gaps are free.
    watched_ms = session["ended_at_ms"] - session["started_at_ms"]
    assert refund > 0
    assert sum(leases) - refund <= watched_ms + len(leases) + 1
    assert session["charged_millipoints"] == sum(leases) - refund


def test_no_request_failed_with_a_server_error(platform: Platform) -> None:
    """This test runs last: it checks that no request so far was answered with a 5xx."""
    lines = [json.loads(line) for line in platform.stack.log("access").splitlines() if '"status"' in line]
    assert len(lines) > 50
    assert [line for line in lines if str(line["status"]).startswith("5")] == []
    for part in ("api", "endpoints", "scheduler"):
        assert "Traceback" not in platform.stack.log(part), part
