"""What operators do in the dashboard reaches streams, players and wallets: with real ffmpeg, nginx and mpv."""

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from infra.local.processes.supervision import Supervisor
from tests.dashboard.dashboard import Dashboard
from tests.e2e.conftest import STREAM_ID, Platform, Viewer
from tests.fixtures.waiting import wait_for
from tests.integration.player.player_harness import PlayProcess, texts_on_picture

MESSAGE = "Please write to help@example.org first. <b>${mpv-version}</b>"
Opened = Callable[..., Dashboard]


def watching(viewer: Viewer, log: Path, *words: str) -> PlayProcess:
    """Start a play whose mpv logs what it shows."""
    options = ("--vo=null", "--ao=null", "--msg-level=cplayer=trace", f"--log-file={log}")
    playback = viewer.player.play_for_people(*words, mpv=options, DISPLAY=":0")
    wait_for("picture", lambda: playback.is_shown() or playback.process.poll() is not None, 40)
    assert playback.process.poll() is None, playback.process.communicate()
    return playback


def test_a_viewer_is_stopped_with_a_message_and_a_block(
    platform: Platform, opened: Opened, viewer: Callable[[int], Viewer], tmp_path: Path
) -> None:
    watcher = viewer(500_000)
    playback = watching(watcher, tmp_path / "mpv.log")
    dashboard = opened().open("viewers", "Live viewers")
    row = dashboard.page.locator("article, li, tr").filter(has_text=watcher.email).first
    expect(row).to_contain_text("Tollcast player on Linux")
    row.get_by_role("button", name="Stop").click()
    expect(dashboard.dialog).to_contain_text(re.compile(r"Ends 1 session, gives back about \d+\.\d{3} points"))
    dashboard.dialog.get_by_label("Message to the viewer").fill(MESSAGE)
    dashboard.dialog.get_by_label("Reason").fill("rude")
    dashboard.dialog.get_by_label("Block too").check()
    dashboard.dialog.get_by_label("Minutes").fill("30")
    # A double click does nothing twice.
    dashboard.dialog.get_by_role("button", name="Stop the session").dblclick()
    out, _ = playback.process.communicate(timeout=40)
    assert playback.process.returncode == 8
    assert out.splitlines()[-1] == f"Message from the operator: {MESSAGE}"
    assert MESSAGE in texts_on_picture(tmp_path / "mpv.log")
    assert playback.mpv_pids() == []
    # It stays in view, with why and what it cost, and is in the list of blocks.
    left = dashboard.page.locator(".viewers-left li").filter(has_text=watcher.email)
    expect(left).to_contain_text("kicked")
    expect(left).to_contain_text(MESSAGE)
    expect(left).to_contain_text("not measured yet")
    blocks = dashboard.page.locator("section").filter(has_text="Blocks in force")
    expect(blocks).to_contain_text(watcher.email)
    assert len(watcher.sessions()) == 1
    answer = platform.http.post("/playback/start", json={"stream_id": STREAM_ID}, headers=watcher.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "blocked")
    blocks.get_by_role("button", name="Lift").first.click()
    expect(blocks).to_contain_text("No viewer is blocked.")
    answer = platform.http.post("/playback/start", json={"stream_id": STREAM_ID}, headers=watcher.headers)
    assert answer.status_code == 201, answer.text


def test_a_credit_reaches_the_player(opened: Opened, viewer: Callable[[int], Viewer], tmp_path: Path) -> None:
    watcher, log = viewer(7_000), tmp_path / "mpv.log"
    playback = watching(watcher, log, "--wait=2m")
    wait_for("used up", lambda: "used up" in texts_on_picture(log), 40)
    dashboard = opened().open("users", "Users")
    dashboard.page.keyboard.press("/")
    dashboard.page.keyboard.type(watcher.email[:12])
    dashboard.page.get_by_role("link", name=watcher.email).click()
    dashboard.heading(watcher.email)
    dashboard.button("Credit").click()
    dashboard.dialog.get_by_label("Points").fill("1.2345")
    dashboard.dialog.get_by_role("button", name="Give points").click()
    expect(dashboard.dialog).to_contain_text("at most three decimals")
    dashboard.dialog.get_by_label("Points").fill("100")
    dashboard.dialog.get_by_label("Note").fill("welcome")
    dashboard.dialog.get_by_role("button", name="Give 100.000 points").dblclick()
    expect(dashboard.dialog).to_contain_text("New balance")
    dashboard.dialog.get_by_role("button", name="Done").click()
    wait_for("credit on the picture", lambda: "points now. Going on." in texts_on_picture(log), 30)
    wait_for("next session", lambda: len(watcher.sessions()) == 2, 30)
    [payment] = [line for line in watcher.ledger() if line["note"] == "welcome"]
    assert payment["delta_millipoints"] == 100_000
    dashboard.page.reload()
    expect(dashboard.page.locator("main")).to_contain_text("welcome")
    playback.process.send_signal(signal.SIGINT)
    playback.process.communicate(timeout=30)


def test_a_pause_ends_the_encoder_and_a_start_brings_it_back(platform: Platform, opened: Opened) -> None:
    dashboard = opened().open(f"streams/{STREAM_ID}")
    expect(dashboard.page.locator("main")).to_contain_text("live")
    assert len(platform.encoders()) == 1
    dashboard.button("Pause …").click()
    expect(dashboard.dialog).to_contain_text(re.compile("nobody|Nobody|Ends|session", re.I))
    dashboard.dialog.get_by_role("button", name="Pause the stream").click()
    dashboard.notice("is paused")
    wait_for("encoder's end", lambda: platform.encoders() == [], 15)
    expect(dashboard.page.locator("main")).to_contain_text("paused")
    dashboard.button("Start").click()
    wait_for("live stream", lambda: platform.runtime()["state"] == "live", 60)
    expect(dashboard.page.locator(".badge.good").filter(has_text="live").first).to_be_visible()


def test_two_operators_edit_at_once(platform: Platform, opened: Opened, add_staff: Callable[[str], str]) -> None:
    first = opened().open(f"streams/{STREAM_ID}?tab=settings")
    first.page.get_by_label("Title").fill("Mine")
    platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"title": "Theirs", "viewers_max": 7})
    conflict = first.page.locator(".message").filter(has_text="Somebody else changed this stream")
    expect(conflict).to_contain_text("Theirs")
    expect(conflict).to_contain_text("Mine")
    conflict.get_by_role("button", name="Go on with these values").click()
    first.button("See what this changes …").click()
    expect(first.dialog).to_contain_text("Theirs → Mine")
    expect(first.dialog).to_contain_text("The encoder keeps running")
    first.dialog.get_by_role("button", name="Save").click()
    first.notice("1 setting of “Mine” changed")
    stream = platform.operator("GET", f"/streams/{STREAM_ID}")
    assert (stream["title"], stream["viewers_max"]) == ("Mine", 7)
    platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"title": "Test pattern", "viewers_max": 0})


def test_a_stream_is_created_from_a_file_and_goes_live(platform: Platform, opened: Opened) -> None:
    media = platform.stack.layout.media_dir / "film.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-t", "4", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-y", "-v", "error", *source, str(media)], check=True, timeout=30)
    dashboard = opened().open("streams", "Streams")
    dashboard.page.get_by_role("link", name="New stream").click()
    dashboard.heading("New stream")
    dashboard.button("Create the stream").click()
    expect(dashboard.page.locator("main")).to_contain_text("1 field cannot be accepted")
    dashboard.page.get_by_label("Title").fill("A film")
    dashboard.page.get_by_label("Id", exact=True).fill("film")
    dashboard.page.get_by_role("radio", name=re.compile("^File")).check()
    dashboard.page.get_by_label(re.compile("Path|File name|file in")).last.fill("film.mp4")
    dashboard.page.get_by_label("and start it").check()
    dashboard.button("Create the stream").click()
    dashboard.heading("A film")
    expect(dashboard.page.locator(".badge.good").filter(has_text="live").first).to_be_visible(timeout=60_000)
    dashboard.button("Open the preview").click()
    played = "() => document.querySelector('video')?.currentTime ?? 0"
    wait_for("preview", lambda: dashboard.page.evaluate(played) > 0.5, 40)
    dashboard.button("Close the preview").click()
    assert dashboard.policy_reports() == []
    platform.operator("DELETE", "/streams/film")


def test_without_the_api_the_page_stays_and_says_since_when(platform: Platform, opened: Opened) -> None:
    dashboard = opened().open(f"streams/{STREAM_ID}")
    expect(dashboard.button("Pause …")).to_be_enabled()
    supervisor = Supervisor(platform.stack.layout)
    supervisor.stop_parts(["api"])
    try:
        outage = dashboard.page.get_by_role("alert").filter(has_text="The API does not answer.")
        expect(outage).to_be_visible()
        expect(dashboard.button("Pause …")).to_be_disabled()
        expect(dashboard.page.locator("main")).to_contain_text("stale: as of")
        dashboard.heading("Test pattern")
        expect(outage).to_contain_text(re.compile(r"as of ([5-9]|\d\d) s"))
    finally:
        supervisor.start_part("api")
    expect(outage).to_be_hidden(timeout=40_000)
    expect(dashboard.button("Pause …")).to_be_enabled()
