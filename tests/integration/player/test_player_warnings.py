"""Everything that the player opens is closed in every case; otherwise Python would warn on stderr."""

import pytest
from fake_platform import FakePlatform
from player_harness import Player


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
def test_nothing_is_left_open(platform: FakePlatform, viewer: Player, words: tuple[str, ...]) -> None:
    platform.stream_state = "stopped"
    done = viewer.run(*words)
    assert "ResourceWarning" not in done.stderr and "Traceback" not in done.stderr
    assert done.returncode == (4 if words[0] == "play" else 0), done.stderr


def test_nothing_is_left_open_after_watching(platform: FakePlatform, viewer: Player) -> None:
    platform.lease_ms, platform.balance = 1_000, 2_000
    done = viewer.run("play", "stream-1", "--headless")
    assert done.returncode == 3, done.stderr
    assert "ResourceWarning" not in done.stderr and "Traceback" not in done.stderr


def test_nothing_is_left_open_without_a_server(platform: FakePlatform, viewer: Player) -> None:
    platform.dead_paths = ("/streams",)
    done = viewer.run("streams")
    assert done.returncode == 5
    assert "ResourceWarning" not in done.stderr and "Traceback" not in done.stderr
