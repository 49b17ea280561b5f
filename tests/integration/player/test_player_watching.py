"""The money during a session: top-ups, warnings, failing media, and dry runs."""

import itertools
import json
import time

from tests.fixtures.waiting import eventually
from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player


def test_a_top_up_shows_at_the_next_heartbeat_and_warnings_are_repeated(
    platform: PlatformServer, viewer: Player
) -> None:
    platform.set_stream(lease_ms=1_000)
    platform.balance = 63_000  # a minute and a little more
    playback = viewer.play()
    platform.wait_for_media()
    eventually(lambda: platform.balance < 58_000, 20, "leases are bought")
    platform.top_up(8_000, "gift-1")
    topped_up_at = time.monotonic()
    platform.wait_for("POST", "/playback/heartbeat", 8, since=topped_up_at)
    playback.mpv("quit")
    out, err = playback.process.communicate(timeout=20)
    notes = [line for line in err.splitlines() if line.startswith("Running out: ")]
    assert len(notes) == 2 and all(" left (" in note for note in notes), err
    shown = [float(line.split()[1]) for line in err.splitlines() if line.startswith("Playing: ")]
    assert any(later > earlier for earlier, later in itertools.pairwise(shown)), err
    receipt = json.loads(out)
    assert len(receipt["session_ids"]) == 1 and receipt["balance_millipoints"] == platform.balance


def test_other_sessions_are_counted(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=30_000)  # the other screen has no heartbeats
    platform.start()
    alone = viewer.run("wallet", COLUMNS="100").stdout
    assert "At 60 points/min that lasts" in alone and "screens" not in alone
    playback = viewer.play()
    platform.wait_for_media()
    shown = viewer.run("wallet", COLUMNS="100").stdout
    assert "With 2 screens on this wallet, at 120 points/min that lasts" in shown
    playback.mpv("quit")
    _, err = playback.process.communicate(timeout=20)
    assert " left with 2 screens on this wallet, " in err


def test_nothing_is_bought_while_the_gateway_is_away(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=2_000)
    playback = viewer.play()
    platform.wait_for_media()
    platform.dead_paths = ("/play/",)
    failed_at = time.monotonic()

    def bought() -> int:
        return len(platform.seen("POST", "/playback/heartbeat", since=failed_at))

    def is_silent() -> bool:
        count = bought()
        time.sleep(4.0)  # two leases
        return count == bought()

    eventually(is_silent, 30, "no lease is bought any more")
    assert bought() <= 4, "leases of 2 s are bought for the first 5 s without media"
    platform.dead_paths = ()
    restored_at = time.monotonic()
    platform.wait_for_media(restored_at)
    platform.wait_for("POST", "/playback/heartbeat", 2, since=restored_at)
    status, receipt = playback.quit()
    assert (status, len(receipt["session_ids"])) == (0, 1)
    assert receipt["spent_millipoints"] == 100_000 - platform.balance


def test_media_that_fail_behind_a_gateway_that_answers_cost_few_leases(
    platform: PlatformServer, viewer: Player
) -> None:
    platform.set_stream(lease_ms=2_000)
    playback = viewer.play()
    platform.wait_for_media()
    platform.media_status = 503
    failed_at = time.monotonic()
    status, receipt = playback.finish(60)
    lasted_s = time.monotonic() - failed_at
    fault = f"{platform.url} (it answers 503)"
    assert (status, receipt["message"]) == (6, f"The server stopped sending the picture: {fault}.")
    # By schedule it would be one every 2 s for 30 s. A token expires after 7 s, and mpv retries with pauses.
    requested = [entry for entry in platform.seen("POST", "/playback/heartbeat") if entry[0] > failed_at + 7.0]
    assert 1 <= len(requested) <= 0.75 * (lasted_s - 7.0) / 2.0
    assert receipt["settled"] and receipt["spent_millipoints"] == 100_000 - platform.balance


def test_a_dry_run_starts_nothing(platform: PlatformServer, viewer: Player, tmp_path: object) -> None:
    platform.set_cap(50_000)
    done = viewer.run("play", "stream-1", "--dry-run", "--max-points", "70", PATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    for word in ("60 points/min, 3600 points/hour", "in 0:50.", "(daily_cap_reached)", "1423", "nothing was charged"):
        assert word in done.stdout
    found = json.loads(viewer.run("play", "stream-1", "--dry-run", "--json").stdout)
    assert found["cut_off"]["end_reason"] == "daily_cap_reached" and found["balance_millipoints"] == 100_000
    platform.report("backoff")
    done = viewer.run("play", "stream-1", "--dry-run")
    assert done.returncode == 0 and "not live now (backoff)" in done.stdout
    assert viewer.run("play", "nothing", "--dry-run").returncode == 4
    assert platform.seen("POST", "/playback") == [] and platform.balance == 100_000
