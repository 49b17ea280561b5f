"""The real player with real mpv, which plays, pauses, seeks back and stops at random moments."""

import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.adversary.counting_proxy import CountingProxy
from tests.faults.adversary.honest import BETWEEN_S, PAUSES_S, PLAYS_S, SEEK_BACK_S
from tests.faults.adversary.viewer import Viewer
from tests.faults.harness.private_stack import PASSWORD
from tests.fixtures.waiting import wait_for
from tests.integration.player.player_harness import Player, PlayProcess, logged_in

PICTURE_S_MAX = 60.0
ACTIONS = ("pause", "seek", "stop", "play")


def watch(viewer: Viewer) -> None:
    """Watch with the player, session after session, until the end of the run."""
    with TemporaryDirectory(prefix="adversary-") as home, CountingProxy(viewer.url) as proxy:
        viewer.received = proxy.received
        player = logged_in(proxy.url, Path(home), viewer.account.email, PASSWORD)
        try:
            while viewer.is_running():
                _watch_once(viewer, player)
                viewer.sleep(viewer.rng.uniform(*BETWEEN_S))
        finally:
            player.end_all()
            sessions = viewer.api("GET", "/me/sessions?limit=100").document["items"]
            viewer.session_ids = [each["session_id"] for each in sessions][::-1]


def _watch_once(viewer: Viewer, player: Player) -> None:
    playback = player.play(stream_id=viewer.stream_id)
    wait_for("picture", lambda: playback.is_shown() or playback.process.poll() is not None, PICTURE_S_MAX)
    action = "play"
    while action != "stop" and viewer.is_running() and playback.process.poll() is None:
        viewer.sleep(viewer.rng.uniform(*PLAYS_S))
        action = viewer.rng.choice(ACTIONS)
        # The player may have ended meanwhile.
        with suppress(OSError, AssertionError):
            _act(viewer, playback, action)
    if playback.process.poll() is None:
        _, receipt = playback.quit()
    else:
        _, receipt = playback.finish()
    viewer.seen[f"end {receipt.get('end_reason')}"] += 1
    player.plays.remove(playback)


def _act(viewer: Viewer, playback: PlayProcess, action: str) -> None:
    if action == "pause":
        playback.mpv("set_property", "pause", True)
        time.sleep(min(viewer.rng.uniform(*PAUSES_S), viewer.left_s()))
        playback.mpv("set_property", "pause", False)
    elif action == "seek":
        playback.mpv("seek", -SEEK_BACK_S)
