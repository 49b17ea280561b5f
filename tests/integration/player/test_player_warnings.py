"""Everything that the player opens is closed in every case; otherwise Python would warn on stderr."""

import pytest

from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player

LISTS = ["streams", "status", "ledger", "ledger --export - --format csv", "wallet cap none"]


def assert_closed(viewer: Player, words: str, status: int) -> None:
    done = viewer.run(*words.split())
    assert "ResourceWarning" not in done.stderr and "Traceback" not in done.stderr
    assert done.returncode == status, done.stderr


@pytest.mark.parametrize("words", ["play stream-1 --headless", "play nothing --headless", *LISTS])
def test_nothing_is_left_open(platform: PlatformServer, viewer: Player, words: str) -> None:
    platform.report("stopped")
    assert_closed(viewer, words, 4 if words.startswith("play") else 0)


def test_nothing_is_left_open_after_watching(platform: PlatformServer, viewer: Player) -> None:
    platform.set_stream(lease_ms=1_000)
    platform.balance = 2_000
    assert_closed(viewer, "play stream-1 --headless", 3)


def test_nothing_is_left_open_without_a_server(platform: PlatformServer, viewer: Player) -> None:
    platform.dead_paths = ("/streams",)
    assert_closed(viewer, "streams", 5)
