"""`player play` with real mpv against the app: every ending."""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.fixtures.waiting import eventually
from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player, PlayProcess

SEGMENT = "/play/"


class End(NamedTuple):
    """How a play ends. `stops` is the number of requests to stop the session."""

    cause: Callable[[PlatformServer, PlayProcess], object]
    status: int
    reason: str
    stops: int | None
    is_settled: bool = True


def kill_mpv(_: PlatformServer, playback: PlayProcess) -> None:
    os.kill(playback.mpv_pids()[0], signal.SIGKILL)


ENDS = {
    "pause of the stream": End(lambda platform, _: platform.pause_stream(), 8, "stream_paused", None),
    "SIGTERM": End(lambda _, playback: playback.process.send_signal(signal.SIGTERM), 143, "viewer_stopped", 1),
    "SIGHUP": End(lambda _, playback: playback.process.send_signal(signal.SIGHUP), 129, "viewer_stopped", 1),
    "mpv closed": End(lambda _, playback: playback.mpv("quit"), 0, "viewer_stopped", 1),
    "crash of mpv": End(kill_mpv, 7, "viewer_stopped", 1),
    "lost network": End(lambda platform, _: setattr(platform, "dead_paths", ("/",)), 6, "lease_expired", 0, False),
}


def play(platform: PlatformServer, viewer: Player, heartbeats: int = 0) -> PlayProcess:
    """Start a play, and wait until media flows and leases are bought."""
    playback = viewer.play()
    platform.wait_for("POST", "/playback/heartbeat", heartbeats, timeout_s=30)
    platform.wait_for_media()
    return playback


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_each_end_has_its_status_and_reason(platform: PlatformServer, viewer: Player, end: End) -> None:
    playback = play(platform, viewer)
    end.cause(platform, playback)
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"], receipt["settled"]) == (end.status, end.reason, end.is_settled)
    assert end.stops in (None, len(platform.seen("POST", "/playback/stop")))
    if end.is_settled:
        assert receipt["balance_millipoints"] == platform.balance == 100_000 - receipt["spent_millipoints"]
    assert playback.mpv_pids() == []


def test_a_kick_ends_mpv_before_the_next_heartbeat(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=30_000)
    playback = play(platform, viewer)
    platform.end("kicked")
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"], receipt["settled"]) == (8, "kicked", True)
    assert receipt["balance_millipoints"] == platform.balance == 100_000 - receipt["spent_millipoints"]
    assert platform.seen("POST", "/playback/heartbeat") == [], "the refusal of media ended it"


def test_plays_until_the_points_are_used_up(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=1_000)
    platform.balance = 3_500  # three leases and a half
    playback = viewer.play()
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"], receipt["exit_status"]) == (3, "balance_exhausted", 3)
    assert (receipt["spent_millipoints"], receipt["balance_millipoints"]) == (3_500, 0)
    assert receipt["frames_shown"] > 25
    # The server's value, to the millisecond; `player receipt` shows the same.
    assert receipt["watched_ms"] == 3_500
    assert "Watched:     0:03" in viewer.run("receipt").stdout
    assert receipt["session_ids"] == list(platform.sessions)
    assert playback.mpv_pids() == []


def test_max_points_and_the_daily_cap_bound_what_is_spent(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=1_000)
    status, receipt = viewer.play("--max-points", "3").finish()
    assert (status, receipt["end_reason"], receipt["spent_millipoints"]) == (3, "max_points_reached", 3_000)
    platform.set_cap(3_000 + 2_500)
    for spent in (2_500, None):
        status, receipt = viewer.play().finish()
        assert (status, receipt["end_reason"], receipt["settled"]) == (3, "daily_cap_reached", True)
        assert spent in (None, receipt["spent_millipoints"])


def test_a_pause_fetches_and_buys_nothing_and_can_be_resumed(platform: PlatformServer, viewer: Player) -> None:
    playback = play(platform, viewer)
    playback.mpv("set_property", "pause", True)
    time.sleep(0.7)  # requests in flight may finish
    paused_at = time.monotonic()
    time.sleep(3.0)  # longer than a lease
    platform.clock.shift_ms += 10_000  # longer than the grace, whose time a late heartbeat pays for
    assert platform.seen("GET", SEGMENT, since=paused_at) == []
    assert platform.seen("POST", "/playback", since=paused_at) == []
    playback.mpv("set_property", "pause", False)
    platform.wait_for("GET", SEGMENT, 4, since=paused_at)
    after = [r for r in platform.requests if r.at_s > paused_at]
    assert after[0].path == "/playback/heartbeat", "after the pause the heartbeat comes first"
    shown = playback.mpv("get_property", "time-pos")
    eventually(lambda: playback.mpv("get_property", "time-pos") > shown + 2, 10, "mpv goes on")
    status, receipt = playback.interrupt()
    assert (status, len(receipt["session_ids"])) == (130, 1)
    # The server counts the paid time as watched, including the rest of the lease in which the pause began.
    elapsed_ms = (time.monotonic() - platform.requests[0].at_s) * 1000
    assert receipt["watched_ms"] < elapsed_ms - 3_000 + platform.stream.lease_ms


def test_a_play_that_begins_paused_can_be_resumed(platform: PlatformServer, viewer: Player) -> None:
    playback = viewer.play(mpv=("--pause",))
    platform.wait_for("POST", "/playback/start")
    time.sleep(1.0)
    assert platform.seen("GET", SEGMENT) == []
    playback.mpv("set_property", "pause", False)
    platform.wait_for_media()
    assert playback.quit()[0] == 0


def lapsed(platform: PlatformServer, viewer: Player) -> PlayProcess:
    """Start a play whose session lapses in a pause. Within its first lease a session would not be restarted."""
    platform.set_stream(lease_ms=1_000)
    playback = play(platform, viewer, heartbeats=2)
    playback.mpv("set_property", "pause", True)
    time.sleep(0.5)
    platform.expire_lease()
    return playback


def test_a_session_that_lapsed_in_a_pause_is_restarted(platform: PlatformServer, viewer: Player) -> None:
    platform.balance = 6_000
    playback = lapsed(platform, viewer)
    playback.mpv("set_property", "pause", False)
    platform.wait_for("POST", "/playback/start", 2)
    status, receipt = playback.finish()
    assert (status, receipt["end_reason"], receipt["balance_millipoints"]) == (3, "balance_exhausted", 0)
    assert receipt["session_ids"] == list(platform.sessions) and len(platform.sessions) == 2
    assert receipt["spent_millipoints"] == 6_000


def test_a_signal_during_a_restart_stops_the_new_session(platform: PlatformServer, viewer: Player) -> None:
    playback, asked = lapsed(platform, viewer), threading.Event()

    def delay() -> None:
        asked.set()
        time.sleep(3.0)  # longer than the player waits for a heartbeat

    platform.before["/playback/start"] = delay
    playback.mpv("set_property", "pause", False)
    assert asked.wait(10)
    status, receipt = playback.interrupt()
    assert (status, receipt["settled"], receipt["session_ids"]) == (130, True, list(platform.sessions))
    assert [session.end_reason for session in platform.sessions.values()] == ["lease_expired", "viewer_stopped"]
    assert receipt["balance_millipoints"] == platform.balance == 100_000 - receipt["spent_millipoints"]


def test_a_lost_answer_to_a_restart_is_retried(platform: PlatformServer, viewer: Player) -> None:
    playback = lapsed(platform, viewer)
    platform.drop_next = {"/playback/start"}
    playback.mpv("set_property", "pause", False)
    platform.wait_for("POST", "/playback/start", 3)
    status, receipt = playback.interrupt()
    assert (status, receipt["settled"], receipt["session_ids"]) == (130, True, list(platform.sessions))
    assert len(platform.sessions) == 2 and receipt["spent_millipoints"] == 100_000 - platform.balance


def test_an_unanswered_start_is_reported(platform: PlatformServer, viewer: Player) -> None:
    platform.dead_paths = ("/playback/start",)
    status, receipt = viewer.play().finish()
    assert (status, receipt["settled"], receipt["session_ids"]) == (5, False, [])
    assert "may have been bought" in receipt["message"]


def test_mpv_does_not_outlive_a_killed_player(platform: PlatformServer, viewer: Player) -> None:
    playback = play(platform, viewer)
    assert len(playback.mpv_pids()) == 1
    playback.process.kill()
    eventually(lambda: not playback.mpv_pids(), 3, "mpv ends")


def test_a_short_outage_is_survived_with_the_same_heartbeat(platform: PlatformServer, viewer: Player) -> None:
    playback = play(platform, viewer)
    platform.dead_paths = ("/playback", "/play/")
    time.sleep(1.2)
    platform.dead_paths = ()
    since = time.monotonic()
    platform.wait_for("POST", "/playback/heartbeat", 2, since=since)
    platform.wait_for("GET", SEGMENT, 2, since=since)
    assert playback.quit()[0] == 0
    counted = [line["seq"] for line in platform.statement()["lines"] if line["kind"] == "lease"]
    assert counted == list(range(1, len(counted) + 1))


def test_a_lost_answer_is_retried_with_the_same_seq(platform: PlatformServer, viewer: Player) -> None:
    platform.drop_next = {"/playback/heartbeat"}
    playback = play(platform, viewer, heartbeats=3)
    _, receipt = playback.quit()
    asked = [request.body["seq"] for request in platform.seen("POST", "/playback/heartbeat")]
    assert asked[:3] == [2, 2, 3]
    assert receipt["spent_millipoints"] == 100_000 - platform.balance


def test_mpv_gets_the_servers_start_index_and_no_secret(platform: PlatformServer, viewer: Player) -> None:
    platform.set_low_latency()
    platform.set_stream(title="می\u200cخواهم 👨\u200d👩\u200d👧\u202e")
    playback = play(platform, viewer)
    assert playback.mpv("get_property", "demuxer-lavf-o") == {
        "live_start_index": "-2",
        "http_multiple": "0",
    }
    (pid,) = playback.mpv_pids()
    with open(f"/proc/{pid}/cmdline") as file:  # noqa: PTH123
        argv = file.read()
    url = playback.mpv("get_property", "path")
    assert url.split("/")[3] not in argv and "127.0.0.1" not in argv
    assert len(platform.tokens) >= 2 and not any(token in argv for token in platform.tokens)
    assert playback.mpv("get_property", "media-title") == "می\u200cخواهم 👨\u200d👩\u200d👧"
