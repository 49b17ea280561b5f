"""Everything that the player opens is closed in every case; otherwise Python would warn on stderr."""

import pytest

from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player


@pytest.mark.parametrize(
    "words",
    [
        ("play", "stream-1", "--headless"),
        ("play", "nothing", "--headless"),
        ("streams",),
        ("status",),
        ("ledger",),
        ("ledger", "--export", "-", "--format", "csv"),
        ("wallet", "cap", "none"),
    ],
)
def test_nothing_is_left_open(platform: PlatformServer, viewer: Player, words: tuple[str, ...]) -> None:
    platform.report("stopped")
    done = viewer.run(*words)
    assert "ResourceWarning" not in done.stderr and "Traceback" not in done.stderr
    assert done.returncode == (4 if words[0] == "play" else 0), done.stderr


def test_nothing_is_left_open_after_watching(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=1_000)
    platform.balance = 2_000
    done = viewer.run("play", "stream-1", "--headless")
    assert done.returncode == 3, done.stderr
    assert "ResourceWarning" not in done.stderr and "Traceback" not in done.stderr


def test_nothing_is_left_open_without_a_server(platform: PlatformServer, viewer: Player) -> None:
    platform.dead_paths = ("/streams",)
    done = viewer.run("streams")
    assert done.returncode == 5
    assert "ResourceWarning" not in done.stderr and "Traceback" not in done.stderr
