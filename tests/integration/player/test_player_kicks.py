"""What an operator writes to a viewer: on mpv's picture, and as the last line of the player."""

import signal
import time
from pathlib import Path

from tests.fixtures.waiting import eventually
from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player, PlayProcess, texts_on_picture

# mpv would expand a property, and libass a tag.
MESSAGE = "Please write to help@example.org first. ${mpv-version} {\\b1}"
LINE = f"Message from the operator: {MESSAGE}"


def watching(platform: PlatformServer, viewer: Player, log: Path) -> PlayProcess:
    """Start a play whose mpv draws into a window without a screen, and logs what it shows."""
    options = ("--vo=null", "--ao=null", "--msg-level=cplayer=trace", f"--log-file={log}")
    playback = viewer.play_for_people(mpv=options, DISPLAY=":0")
    platform.wait_for_media()
    eventually(playback.is_shown, 20, "mpv shows a picture")
    return playback


def test_the_message_of_a_kick_is_on_the_picture_and_the_last_line(
    platform: PlatformServer, viewer: Player, tmp_path: Path
) -> None:
    platform.set_stream(lease_ms=30_000)
    log = tmp_path / "mpv.log"
    playback = watching(platform, viewer, log)
    kicked_at = time.monotonic()
    platform.kick(MESSAGE)
    out, err = playback.process.communicate(timeout=30)
    assert playback.process.returncode == 8, err
    assert out.splitlines()[0] == "An operator ended this session. (kicked)"
    assert out.splitlines()[-1] == LINE
    # Long enough to be read: 61 characters.
    assert time.monotonic() - kicked_at > 5.0
    assert texts_on_picture(log).endswith(f"An operator ended this session. (kicked)\n{LINE}")
    assert f"Message:     {MESSAGE}" in viewer.run("receipt", COLUMNS="120").stdout
    assert playback.mpv_pids() == []


def test_the_viewer_need_not_wait_for_a_message(platform: PlatformServer, viewer: Player, tmp_path: Path) -> None:
    platform.set_stream(lease_ms=30_000)
    log = tmp_path / "mpv.log"
    playback = watching(platform, viewer, log)
    platform.kick("x" * 200)
    eventually(lambda: "Message from" in texts_on_picture(log), 10, "the message is shown")
    shown_at = time.monotonic()
    playback.process.send_signal(signal.SIGINT)
    out, _ = playback.process.communicate(timeout=30)
    assert time.monotonic() - shown_at < 6.0, "it would be shown for 13 s"
    assert (playback.process.returncode, out.splitlines()[-1]) == (8, f"Message from the operator: {'x' * 200}")
