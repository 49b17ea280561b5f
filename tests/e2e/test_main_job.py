"""Log in, watch in mpv, pay for each lease, and lose access, with real ffmpeg, nginx and mpv."""

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from infra.local.processes import process_groups
from tests.e2e.conftest import LEASE_MS, STREAM_ID, TARGET_S, Platform, Viewer
from tests.fixtures.waiting import wait_for
from tests.integration.player.player_harness import PlayProcess

END_S_MAX = TARGET_S + 1.0
FFMPEG_ENDS_S_MAX = 3.0
LIVE_AGAIN_S_MAX = 6.0


def shown(playback: PlayProcess) -> bool:
    """Return whether mpv shows a picture."""
    try:
        return bool(playback.mpv("get_property", "estimated-frame-number"))
    except (OSError, AssertionError):
        return False


def play(viewer: Viewer, *words: str) -> PlayProcess:
    playback = viewer.player.play(*words)
    wait_for("picture", lambda: shown(playback) or playback.process.poll() is not None, 40)
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
    found: dict[str, Any] = answer.json()
    return found


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
    renewed = platform.http.post(
        "/playback/renew", json={"session_id": session["session_id"]}, headers=person.headers
    ).json()
    rendition, segment = media_paths(platform, renewed)
    assert fetch(platform, session["session_id"], renewed["play_token"], segment).status_code == 200
    exit_status, receipt = playback.finish(60)
    assert exit_status == 3
    assert receipt["end_reason"] == "balance_exhausted"
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


def test_at_zero_mpv_is_gone_in_time(platform: Platform, viewer: Callable[[int], Viewer]) -> None:
    person = viewer(8_000)
    playback = play(person)
    wait_for("spent wallet", lambda: person.wallet()["balance_millipoints"] == 0)
    [session] = person.wallet()["sessions"]
    left_s = session["paid_until_ms"] / 1000 - time.time()
    ends_at = time.monotonic() + left_s
    exit_status, _ = playback.finish()
    assert exit_status == 3
    assert ended_after_s(playback, ends_at) < END_S_MAX


def test_a_kick_ends_the_picture_with_its_own_reason(platform: Platform, viewer: Callable[[int], Viewer]) -> None:
    person = viewer(100_000)
    playback = play(person)
    [session] = person.wallet()["sessions"]
    renewed = platform.http.post(
        "/playback/renew", json={"session_id": session["session_id"]}, headers=person.headers
    ).json()
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


@pytest.mark.parametrize(("sent", "exit_status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_stop_the_session_and_refund(
    platform: Platform, viewer: Callable[[int], Viewer], sent: signal.Signals, exit_status: int
) -> None:
    person = viewer(100_000)
    playback = play(person)
    playback.process.send_signal(sent)
    status, receipt = playback.finish()
    assert status == exit_status
    [session] = person.sessions()
    assert session["end_reason"] == "viewer_stopped"
    # What was watched was paid, no more: a millipoint a millisecond at this rate.
    assert abs(session["charged_millipoints"] - session["watched_ms"]) <= 2
    assert receipt["balance_millipoints"] == 100_000 - session["charged_millipoints"]
    person.check_ledger()


def test_a_pause_costs_nothing_and_fetches_nothing(platform: Platform, viewer: Callable[[int], Viewer]) -> None:
    person = viewer(100_000)
    playback = play(person)
    playback.mpv("set_property", "pause", True)
    [session] = person.wallet()["sessions"]
    wait_for("end of the lease", lambda: time.time() * 1000 > person.wallet()["sessions"][0]["paid_until_ms"], 20)
    [paused] = person.wallet()["sessions"]
    fetched = platform.stack.log("access").count(session["session_id"])
    balance = person.wallet()["balance_millipoints"]
    time.sleep(2 * LEASE_MS / 1000)  # The pause itself: nothing may happen in it.
    assert person.wallet()["balance_millipoints"] == balance
    assert person.wallet()["sessions"] == [paused]
    assert platform.stack.log("access").count(session["session_id"]) == fetched
    position = playback.mpv("get_property", "time-pos")
    playback.mpv("set_property", "pause", False)
    wait_for("moving picture", lambda: (playback.mpv("get_property", "time-pos") or 0) > position + 1)
    assert person.wallet()["balance_millipoints"] < balance
    playback.process.send_signal(signal.SIGINT)
    playback.finish()
    person.check_ledger()


def test_only_the_newest_token_of_a_session_opens_it(platform: Platform, viewer: Callable[[int], Viewer]) -> None:
    owner, stranger = viewer(100_000), viewer(100_000)
    own, others = start(platform, owner), start(platform, stranger)
    rendition, segment = media_paths(platform, own)
    wrong = {"none": None, "another's": others["play_token"], "nonsense": "a.b.c"}
    wrong["access"] = owner.headers["Authorization"].removeprefix("Bearer ")
    for name, token in wrong.items():
        for path in ("index.m3u8", rendition, segment):
            refused = fetch(platform, own["session_id"], token, path)
            assert (refused.status_code, refused.json()["code"]) == (401, "token_invalid"), name
    # Without heartbeats the lease expires, and the token after the grace.
    assert own["expires_in"] <= LEASE_MS / 1000 + 5
    wait_for("end of the grace", lambda: time.time() * 1000 > own["paid_until_ms"] + 5_100, 20)
    for path in ("index.m3u8", rendition, segment):
        refused = fetch(platform, own["session_id"], own["play_token"], path)
        assert (refused.status_code, refused.json()["code"]) == (402, "lease_expired")
    for person, session in ((owner, own), (stranger, others)):
        body = {"session_id": session["session_id"]}
        platform.http.post("/playback/stop", json=body, headers=person.headers)
        person.check_ledger()


def test_the_bucket_and_the_signer_are_closed(platform: Platform, viewer: Callable[[int], Viewer]) -> None:
    person = viewer(100_000)
    session = start(platform, person)
    _, segment = media_paths(platform, session)
    bucket = platform.stack.environ["TOLLCAST_MEDIA_BUCKET"]
    for path in ("index.m3u8", segment):
        assert httpx.get(f"{platform.stack.layout.emulator_url}/{bucket}/streams/{STREAM_ID}/{path}").status_code == 403
    assert httpx.get(f"{platform.stack.layout.emulator_url}/{bucket}").status_code == 403
    for path in ("/sign", "/verdict", "/denial", f"/sign/streams/{STREAM_ID}/index.m3u8", "/_sign", "/_verdict"):
        refused = platform.http.get(path, headers={"Authorization": f"Bearer {session['play_token']}"})
        assert refused.status_code in (401, 403, 404), path
        assert "X-Amz" not in refused.text + str(refused.headers)
    platform.http.post("/playback/stop", json={"session_id": session["session_id"]}, headers=person.headers)


def test_commands_fail_after_a_logout(platform: Platform, viewer: Callable[[int], Viewer]) -> None:
    person = viewer(1_000)
    for command in (["wallet"], ["ledger"], ["streams"], ["status"], ["logout"]):
        done = person.player.run(*command)
        assert (done.returncode, done.stderr) == (0, ""), command
    assert "Logged out" in done.stdout
    after = person.player.run("wallet")
    assert (after.returncode, "player login" in after.stderr) == (4, True)
    assert person.player.run("play", STREAM_ID).returncode == 4


def test_no_request_failed_with_a_server_error(platform: Platform) -> None:
    """This test runs last: it checks that no request so far was answered with a 5xx."""
    lines = [json.loads(line) for line in platform.stack.log("access").splitlines() if '"status"' in line]
    assert len(lines) > 50
    assert [line for line in lines if str(line["status"]).startswith("5")] == []
    for part in ("api", "endpoints", "scheduler"):
        assert "Traceback" not in platform.stack.log(part), part
