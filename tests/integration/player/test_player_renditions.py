"""Real mpv continues with another rendition when one is dropped."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.waiting import eventually
from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player

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
    return sum(f"/{rendition}/" in path for path in platform.segments(since))


def test_mpv_continues_when_its_rendition_is_dropped(platform: PlatformServer, viewer: Player, ladder: Path) -> None:
    playback = viewer.play()
    eventually(lambda: watched(platform, "720p") >= 4, 20, "the better rendition is played")
    chosen_at = platform.requests[-1][0]  # at first mpv fetches both
    eventually(lambda: watched(platform, "720p", chosen_at) >= 3, 10, "it goes on")
    assert watched(platform, "480p", chosen_at) == 0
    (ladder / "index.m3u8").write_text("#EXTM3U\n" + LOW)
    (ladder / "720p").unlink()
    dropped_at = platform.requests[-1][0]
    eventually(lambda: watched(platform, "480p", dropped_at) >= 4, 20, "mpv goes on")
    shown = playback.mpv("get_property", "time-pos")
    eventually(lambda: playback.mpv("get_property", "time-pos") != shown, 5, "the picture moves")
    playback.process.send_signal(signal.SIGINT)
    status, receipt = playback.finish()
    assert (status, receipt["settled"], len(receipt["session_ids"])) == (130, True, 1)
