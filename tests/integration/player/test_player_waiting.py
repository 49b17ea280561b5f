"""`player play --wait` with real mpv: the points end, the picture stays, and it goes on after a top-up."""

import json
import time

import pytest

from tests.fixtures.waiting import eventually
from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player, PlayProcess

# From the credit until mpv plays again: less than 1 s on one machine, and more where many tests share it.
RESUME_S_MAX = 4.0
PAGE = "https://pay.example.org/?user="


def wait_for_points(platform: PlatformServer, viewer: Player, *options: str) -> PlayProcess:
    """Start a play with 1.5 points, and return it once it looks for more."""
    platform.set_stream(lease_ms=1_000)
    platform.balance = 1_500
    playback = viewer.play(*options)
    platform.wait_for("GET", "/me/wallet", timeout_s=30)
    return playback


def test_a_credit_goes_on_in_the_same_mpv(platform: PlatformServer, viewer: Player) -> None:
    platform.set_top_up_page(f"{PAGE}{{user_id}}")
    playback = wait_for_points(platform, viewer, "--wait", "--max-points", "40")
    eventually(lambda: playback.mpv("get_property", "core-idle"), 20, "mpv has shown what was fetched")
    (pid,), shown = playback.mpv_pids(), playback.position()
    waiting_at = time.monotonic()
    platform.wait_for("GET", "/me/wallet", 2, since=waiting_at)
    assert (playback.mpv("get_property", "idle-active"), playback.position()) == (False, shown), "the picture stays"
    for path in ("/play/", "/playback"):
        assert platform.seen("GET", path, waiting_at) + platform.seen("POST", path, waiting_at) == []

    credited_at = time.monotonic()
    platform.top_up(20_000, "top-up-1")
    eventually(lambda: playback.position() > shown, 10, "mpv goes on")
    took_s = time.monotonic() - credited_at
    print(f"from the credit to the picture: {took_s:.2f} s")
    assert took_s < RESUME_S_MAX
    assert playback.mpv_pids() == [pid]
    first, second = (request.body for request in platform.seen("POST", "/playback/start"))
    assert (first["max_points"], second["max_points"]) == (40, 38), "the remaining whole points"
    assert first["idempotency_key"] != second["idempotency_key"]

    playback.mpv("quit")
    out, err = playback.process.communicate(timeout=20)
    receipt, page = json.loads(out), f"Top up at {PAGE}{platform.user_id}"
    assert (playback.process.returncode, receipt["end_reason"]) == (0, "viewer_stopped")
    assert len(receipt["session_ids"]) == 2 and receipt["spent_millipoints"] == 21_500 - platform.balance
    lines = err.splitlines()
    for said in ("These are the last points: the picture ends in ", "Your points are used up. Waiting 10:00 for more"):
        (number,) = (number for number, line in enumerate(lines) if line.startswith(said))
        assert lines[number + 1] == page, err
    assert "There are 20.000 points now. Going on." in lines


@pytest.mark.parametrize("end", ["the time is over", "mpv is closed", "Ctrl-C"])
def test_a_wait_ends_as_a_play_without_it(platform: PlatformServer, viewer: Player, end: str) -> None:
    playback = wait_for_points(platform, viewer, "--wait=2s" if end == "the time is over" else "--wait")
    waiting_at = time.monotonic()
    if end == "Ctrl-C":
        found = playback.interrupt()
    else:
        found = playback.quit() if end == "mpv is closed" else playback.finish()
    took_s = time.monotonic() - waiting_at
    expected = (130, "viewer_stopped") if end == "Ctrl-C" else (3, "balance_exhausted")
    status, receipt = found
    assert (status, receipt["end_reason"], receipt["settled"]) == (*expected, True)
    assert took_s < 6 and (end != "the time is over" or took_s > 0.5)
    assert (len(receipt["session_ids"]), receipt["spent_millipoints"], platform.balance) == (1, 1_500, 0)
    assert playback.mpv_pids() == [] and len(platform.seen("POST", "/playback/start")) == 1


def test_a_wait_outlasts_debt_a_lost_server_and_a_pause(platform: PlatformServer, viewer: Player) -> None:
    playback = wait_for_points(platform, viewer, "--wait")
    platform.set_debt(4_000)
    platform.dead_paths = ("/me/wallet",)
    platform.top_up(4_000, "top-up-1")
    time.sleep(1.5)
    platform.dead_paths = ()
    restored_at = time.monotonic()
    platform.wait_for("GET", "/me/wallet", 2, since=restored_at)
    assert len(platform.seen("POST", "/playback/start")) == 1, "the balance pays the debt, and nothing more"
    playback.mpv("set_property", "pause", True)
    platform.top_up(9_000, "top-up-2")
    credited_at = time.monotonic()
    platform.wait_for("GET", "/me/wallet", since=credited_at)
    time.sleep(0.5)
    assert len(platform.seen("POST", "/playback/start")) == 1, "a pause buys nothing"
    playback.mpv("set_property", "pause", False)
    platform.wait_for_media(since=credited_at)
    status, receipt = playback.quit()
    assert (status, len(receipt["session_ids"])) == (0, 2)
    assert platform.balance == 14_500 - 4_000 - receipt["spent_millipoints"]


def test_a_limit_of_the_viewer_is_no_reason_to_wait(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=1_000)
    status, receipt = viewer.play("--wait", "--max-points", "2").finish()
    assert (status, receipt["end_reason"]) == (3, "max_points_reached")
    assert "More points do not change that" in receipt["message"] and platform.seen("GET", "/me/wallet") == []


def test_a_start_with_debt_names_it_and_where_to_top_up(platform: PlatformServer, viewer: Player) -> None:
    platform.set_top_up_page(f"{PAGE}{{user_id}}")
    platform.balance = 1_000
    platform.set_debt(4_000)
    done = viewer.run("play", "stream-1", "--headless")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-3:] == [
        "Error: 4.000 points are open from earlier viewing, and are paid first; you have 1.000 points (debt_open).",
        f"Top up at {PAGE}{platform.user_id}",
        "Then: player play stream-1",
    ]
    shown = viewer.run("wallet").stdout
    assert (
        "Open: 4.000 points from earlier viewing; your next start pays them first." in shown
        and "player wallet top-up" in shown
    )


def test_top_up_prints_the_page_and_opens_it_where_there_is_a_display(platform: PlatformServer, viewer: Player) -> None:
    missing = viewer.run("wallet", "top-up")
    assert missing.returncode == 4 and "no page to buy points" in missing.stderr
    platform.set_top_up_page(f"{PAGE}{{user_id}}")
    opened = viewer.home / "opened"
    browser = viewer.home / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    address = f"{PAGE}{platform.user_id}"
    for words, display in ((("--print",), ":0"), ((), "")):
        done = viewer.run("wallet", "top-up", *words, BROWSER=str(browser), DISPLAY=display)
        assert (done.returncode, done.stdout, opened.exists()) == (0, f"{address}\n", False)
    done = viewer.run("wallet", "top-up", BROWSER=str(browser), DISPLAY=":0")
    assert (done.returncode, done.stdout) == (0, f"{address}\n") and opened.read_text() == f"{address}\n"
