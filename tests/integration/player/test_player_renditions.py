"""Real mpv continues with another rendition when one is dropped."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player, wait_until

HIGH = "#EXT-X-STREAM-INF:BANDWIDTH=900000\n720p/index.m3u8\n"
LOW = "#EXT-X-STREAM-INF:BANDWIDTH=300000\n480p/index.m3u8\n"


@pytest.fixture
def ladder(platform: PlatformServer, media: Path, tmp_path: Path) -> Iterator[Path]:
    """A multivariant playlist with two renditions of the same live stream."""
    directory = tmp_path / "ladder"
    directory.mkdir()
    for name in ("720p", "480p"):
        (directory / name).symlink_to(media)
    (directory / "index.m3u8").write_text("#EXTM3U\n" + HIGH + LOW)
    platform.media.directory = directory
    yield directory


def watched(platform: PlatformServer, rendition: str, since: float = 0.0) -> int:
    asked = platform.seen("GET", "/play/", since)
    return sum(path.endswith(".ts") and f"/{rendition}/" in path and status == 200 for _, _, path, status, _ in asked)


def test_mpv_continues_when_its_rendition_is_dropped(platform: PlatformServer, viewer: Player, ladder: Path) -> None:
    playback = viewer.play()
    wait_until(lambda: watched(platform, "720p") >= 4, 20, "the better rendition is not played")
    chosen_at = platform.requests[-1][0]  # at first mpv fetches both
    wait_until(lambda: watched(platform, "720p", chosen_at) >= 3, 10, "it does not go on")
    assert watched(platform, "480p", chosen_at) == 0
    (ladder / "index.m3u8").write_text("#EXTM3U\n" + LOW)
    (ladder / "720p").unlink()
    dropped_at = platform.requests[-1][0]
    wait_until(lambda: watched(platform, "480p", dropped_at) >= 4, 20, "mpv does not go on")
    shown = playback.mpv("get_property", "time-pos")
    wait_until(lambda: playback.mpv("get_property", "time-pos") != shown, 5, "the picture is frozen")
    playback.process.send_signal(signal.SIGINT)
    status, receipt = playback.finish()
    assert (status, receipt["settled"], len(receipt["session_ids"])) == (130, True, 1)
