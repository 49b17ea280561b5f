"""`player play` with real mpv against the app: every ending."""

import os
import signal
import threading
import time

import pytest

from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player, wait_until

SEGMENT = "/play/"


def wait_until_playing(platform: PlatformServer, heartbeats: int = 0) -> None:
    """Wait until media flows and leases are bought."""
    platform.wait_for("POST", "/playback/heartbeat", heartbeats, timeout_s=30)
    wait_until(lambda: any(r[2].endswith(".ts") and r[3] == 200 for r in platform.seen("GET", SEGMENT)), 10, "no media")


def test_plays_until_the_points_are_used_up(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=1_000)
    platform.balance = 3_500  # three leases and a half
    playback = viewer.play()
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"], receipt["exit_status"]) == (3, "balance_exhausted", 3)
    assert (receipt["spent_millipoints"], receipt["balance_millipoints"]) == (3_500, 0)
    assert receipt["frames_shown"] > 50
    # The server's value, to the millisecond; `player receipt` shows the same.
    assert receipt["watched_ms"] == 3_500
    assert "Watched:     0:03" in viewer.run("receipt").stdout
    assert receipt["session_ids"] == list(platform.sessions)
    assert playback.mpv_pids() == []


def test_a_kick_ends_mpv_at_once(platform: PlatformServer, viewer: Player) -> None:
    playback = viewer.play()
    wait_until_playing(platform)
    platform.end("kicked")
    kicked_at = time.monotonic()
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"]) == (8, "kicked")
    assert time.monotonic() - kicked_at < 2.5
    assert receipt["balance_millipoints"] == platform.balance == 100_000 - receipt["spent_millipoints"]


def test_a_paused_stream_is_distinguished_from_a_kick(platform: PlatformServer, viewer: Player) -> None:
    playback = viewer.play()
    wait_until_playing(platform)
    platform.pause_stream()
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"]) == (8, "stream_paused")


def test_max_points_bound_what_is_spent(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=1_000)
    status, receipt = viewer.play("--max-points", "3").finish()
    assert (status, receipt["end_reason"], receipt["spent_millipoints"]) == (3, "max_points_reached", 3_000)


def test_a_pause_fetches_and_buys_nothing_and_can_be_resumed(platform: PlatformServer, viewer: Player) -> None:
    playback = viewer.play()
    wait_until_playing(platform)
    playback.mpv("set_property", "pause", True)
    time.sleep(0.7)  # requests in flight may finish
    paused_at = time.monotonic()
    time.sleep(3.0)  # longer than a lease
    platform.clock.shift_ms += 10_000  # longer than the grace, whose time a late heartbeat pays for
    assert platform.seen("GET", SEGMENT, since=paused_at) == []
    assert platform.seen("POST", "/playback", since=paused_at) == []
    playback.mpv("set_property", "pause", False)
    resumed_at = time.monotonic()
    platform.wait_for("GET", SEGMENT, 4, since=paused_at)
    after = [r for r in platform.requests if r[0] > paused_at]
    assert after[0][2] == "/playback/heartbeat", "after the pause the heartbeat comes first"
    shown = playback.mpv("get_property", "time-pos")
    wait_until(lambda: playback.mpv("get_property", "time-pos") > shown + 2, 10, "mpv does not go on")
    assert time.monotonic() - resumed_at < 10
    playback.process.send_signal(signal.SIGINT)
    status, receipt = playback.finish()
    assert (status, len(receipt["session_ids"])) == (130, 1)
    # The server counts the paid time as watched, including the rest of the lease in which the pause began.
    elapsed_ms = (time.monotonic() - platform.requests[0][0]) * 1000
    assert receipt["watched_ms"] < elapsed_ms - 3_000 + platform.stream.lease_ms


def test_a_play_that_begins_paused_can_be_resumed(platform: PlatformServer, viewer: Player) -> None:
    playback = viewer.play(mpv=("--pause",))
    platform.wait_for("POST", "/playback/start")
    time.sleep(1.0)
    assert platform.seen("GET", SEGMENT) == []
    playback.mpv("set_property", "pause", False)
    wait_until_playing(platform)
    playback.mpv("quit")
    assert playback.finish()[0] == 0


def test_a_session_that_lapsed_in_a_pause_is_restarted(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=1_000)
    platform.balance = 6_000
    playback = viewer.play()
    wait_until_playing(platform, heartbeats=2)  # within its first lease a session is not restarted
    playback.mpv("set_property", "pause", True)
    time.sleep(0.5)
    platform.expire_lease()
    playback.mpv("set_property", "pause", False)
    platform.wait_for("POST", "/playback/start", 2)
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"], receipt["balance_millipoints"]) == (3, "balance_exhausted", 0)
    assert receipt["session_ids"] == list(platform.sessions) and len(platform.sessions) == 2
    assert receipt["spent_millipoints"] == 6_000


def test_a_signal_during_a_restart_stops_the_new_session(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=1_000)
    playback = viewer.play()
    wait_until_playing(platform, heartbeats=2)
    playback.mpv("set_property", "pause", True)
    time.sleep(0.5)
    platform.expire_lease()
    asked = threading.Event()

    def delay() -> None:
        asked.set()
        time.sleep(3.0)  # longer than the player waits for a heartbeat

    platform.before["/playback/start"] = delay
    playback.mpv("set_property", "pause", False)
    assert asked.wait(10)
    playback.process.send_signal(signal.SIGINT)
    status, receipt = playback.finish()
    assert (status, receipt["settled"], receipt["session_ids"]) == (130, True, list(platform.sessions))
    assert [session.end_reason for session in platform.sessions.values()] == ["lease_expired", "viewer_stopped"]
    assert receipt["balance_millipoints"] == platform.balance == 100_000 - receipt["spent_millipoints"]


def test_a_lost_answer_to_a_start_is_retried(platform: PlatformServer, viewer: Player) -> None:
    platform.drop_next = {"/playback/start"}
    playback = viewer.play()
    wait_until_playing(platform)
    playback.mpv("quit")
    _, receipt = playback.finish()
    first, retry = platform.seen("POST", "/playback/start")
    assert first.body == retry.body and len(platform.sessions) == 1
    assert receipt["settled"] and receipt["session_ids"] == list(platform.sessions)
    assert receipt["spent_millipoints"] == 100_000 - platform.balance


def test_an_unanswered_start_is_reported(platform: PlatformServer, viewer: Player) -> None:
    platform.dead_paths = ("/playback/start",)
    started_at = time.monotonic()
    status, receipt = viewer.play().finish()
    assert (status, receipt["settled"], receipt["session_ids"]) == (5, False, [])
    assert "may have been bought" in receipt["message"] and time.monotonic() - started_at < 15


def test_the_daily_cap_ends_the_session(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=1_000)
    platform.set_cap(2_500)
    status, receipt = viewer.play().finish()
    assert (status, receipt["end_reason"], receipt["spent_millipoints"]) == (3, "daily_cap_reached", 2_500)
    status, receipt = viewer.play().finish()
    assert (status, receipt["end_reason"], receipt["settled"]) == (3, "daily_cap_reached", True)


def test_a_lost_answer_to_a_restart_is_retried(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=1_000)
    playback = viewer.play()
    wait_until_playing(platform, heartbeats=2)
    playback.mpv("set_property", "pause", True)
    time.sleep(0.5)
    platform.expire_lease()
    platform.drop_next = {"/playback/start"}
    playback.mpv("set_property", "pause", False)
    platform.wait_for("POST", "/playback/start", 3)
    playback.process.send_signal(signal.SIGINT)
    status, receipt = playback.finish()
    assert (status, receipt["settled"], receipt["session_ids"]) == (130, True, list(platform.sessions))
    assert len(platform.sessions) == 2 and receipt["spent_millipoints"] == 100_000 - platform.balance


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_stops_the_session(
    platform: PlatformServer, viewer: Player, number: signal.Signals, expected: int
) -> None:
    playback = viewer.play()
    wait_until_playing(platform)
    playback.process.send_signal(number)
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"]) == (expected, "viewer_stopped")
    assert len(platform.seen("POST", "/playback/stop")) == 1
    assert receipt["settled"] and receipt["balance_millipoints"] == platform.balance
    assert playback.mpv_pids() == []


def test_closing_mpv_ends_well(platform: PlatformServer, viewer: Player) -> None:
    playback = viewer.play()
    wait_until_playing(platform)
    playback.mpv("quit")
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"]) == (0, "viewer_stopped")
    assert len(platform.seen("POST", "/playback/stop")) == 1


def test_a_crash_of_mpv_stops_the_session(platform: PlatformServer, viewer: Player) -> None:
    playback = viewer.play()
    wait_until_playing(platform)
    os.kill(playback.mpv_pids()[0], signal.SIGKILL)
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"]) == (7, "viewer_stopped")
    assert len(platform.seen("POST", "/playback/stop")) == 1


def test_mpv_does_not_outlive_a_killed_player(platform: PlatformServer, viewer: Player) -> None:
    playback = viewer.play()
    wait_until_playing(platform)
    assert len(playback.mpv_pids()) == 1
    playback.process.kill()
    wait_until(lambda: not playback.mpv_pids(), 3, "mpv lives on")


def test_a_lost_network_ends_when_the_paid_time_is_over(platform: PlatformServer, viewer: Player) -> None:
    playback = viewer.play()
    wait_until_playing(platform)
    platform.dead_paths = ("/",)
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"], receipt["settled"]) == (6, "lease_expired", False)


def test_a_short_outage_is_survived_with_the_same_heartbeat(platform: PlatformServer, viewer: Player) -> None:
    playback = viewer.play()
    wait_until_playing(platform)
    platform.dead_paths = ("/playback", "/play/")
    time.sleep(1.2)
    platform.dead_paths = ()
    since = time.monotonic()
    platform.wait_for("POST", "/playback/heartbeat", 2, since=since)
    platform.wait_for("GET", SEGMENT, 2, since=since)
    playback.mpv("quit")
    assert playback.finish()[0] == 0
    counted = [line["seq"] for line in platform.statement()["lines"] if line["kind"] == "lease"]
    assert counted == list(range(1, len(counted) + 1))


def test_a_lost_answer_is_retried_with_the_same_seq(platform: PlatformServer, viewer: Player) -> None:
    platform.drop_next = {"/playback/heartbeat"}
    playback = viewer.play()
    platform.wait_for("POST", "/playback/heartbeat", 3)
    playback.mpv("quit")
    _, receipt = playback.finish()
    asked = [request[4]["seq"] for request in platform.seen("POST", "/playback/heartbeat")]
    assert asked[:3] == [2, 2, 3]
    assert receipt["spent_millipoints"] == 100_000 - platform.balance


def test_the_servers_start_index_is_used(platform: PlatformServer, viewer: Player) -> None:
    platform.set_low_latency()
    playback = viewer.play()
    wait_until_playing(platform)
    assert playback.mpv("get_property", "demuxer-lavf-o") == {"live_start_index": "-2"}


def test_no_secret_is_in_a_command_line(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(title="می\u200cخواهم 👨\u200d👩\u200d👧\u202e")
    playback = viewer.play()
    wait_until_playing(platform)
    (pid,) = playback.mpv_pids()
    with open(f"/proc/{pid}/cmdline") as file:  # noqa: PTH123
        argv = file.read()
    url = playback.mpv("get_property", "path")
    assert url.split("/")[3] not in argv and "127.0.0.1" not in argv
    assert len(platform.tokens) >= 2 and not any(token in argv for token in platform.tokens)
    assert playback.mpv("get_property", "media-title") == "می\u200cخواهم 👨\u200d👩\u200d👧"
