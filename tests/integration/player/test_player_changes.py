"""Real mpv continues when its rendition is dropped, and when the codec of the picture changes."""

import subprocess
from pathlib import Path

import pytest

from tests.fixtures.waiting import eventually
from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player

HIGH = "#EXT-X-STREAM-INF:BANDWIDTH=900000\n720p/index.m3u8\n"
LOW = "#EXT-X-STREAM-INF:BANDWIDTH=300000\n480p/index.m3u8\n"
BEFORE, AFTER = 5, 8
ENCODERS = {"h264": ("libx264",), "hevc": ("libx265", "-x265-params", "log-level=none")}


@pytest.fixture
def ladder(platform: PlatformServer, media: Path, tmp_path: Path) -> Path:
    """A multivariant playlist with two renditions of the same live stream."""
    directory = tmp_path / "ladder"
    directory.mkdir()
    for name in ("720p", "480p"):
        (directory / name).symlink_to(media)
    (directory / "index.m3u8").write_text("#EXTM3U\n" + HIGH + LOW)
    platform.media.directory = directory
    return directory


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
    status, receipt = playback.interrupt()
    assert (status, receipt["settled"], len(receipt["session_ids"])) == (130, True, 1)


@pytest.fixture
def changing(platform: PlatformServer, tmp_path: Path) -> Path:
    """A recorded stream that the platform serves as live; its playlist names what `list_segments` lists."""
    directory = tmp_path / "changing"
    directory.mkdir()
    for codec, from_s, count in (("h264", 0, BEFORE), ("hevc", BEFORE, AFTER)):
        sources = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25", "-f", "lavfi", "-i", "sine=frequency=440")
        made = ("-t", str(count), "-c:v", *ENCODERS[codec], "-preset", "ultrafast", "-g", "25", "-c:a", "aac")
        hls = ("-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "-output_ts_offset", str(from_s))
        names = ("-hls_segment_filename", str(directory / f"{codec}-%d.ts"), str(tmp_path / f"{codec}.m3u8"))
        subprocess.run(["ffmpeg", "-v", "error", *sources, *made, *hls, *names], check=True, timeout=60)
    platform.media.directory = directory
    list_segments(directory, 0)
    return directory


def list_segments(directory: Path, after: int) -> None:
    """List all segments before the change, and so many after it."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:1", "#EXT-X-MEDIA-SEQUENCE:0"]
    lines += [line for n in range(BEFORE) for line in ("#EXTINF:1,", f"h264-{n}.ts")]
    lines += ["#EXT-X-DISCONTINUITY"] * bool(after)
    lines += [line for n in range(after) for line in ("#EXTINF:1,", f"hevc-{n}.ts")]
    written = directory / "written"
    written.write_text("\n".join([*lines, ""]))
    written.rename(directory / "index.m3u8")


def sent(platform: PlatformServer) -> list[str]:
    """The names of the segments that were sent."""
    return [path.rpartition("/")[2] for path in platform.segments()]


def test_mpv_goes_on_with_another_codec(platform: PlatformServer, viewer: Player, changing: Path) -> None:
    playback = viewer.play()
    eventually(lambda: f"h264-{BEFORE - 1}.ts" in sent(platform), 20, "H.264 is played")
    assert playback.mpv("get_property", "video-format") == "h264"
    list_segments(changing, 4)
    eventually(lambda: playback.mpv("get_property", "video-format") == "hevc", 20, "mpv goes on with HEVC")
    list_segments(changing, AFTER)
    shown = playback.mpv("get_property", "time-pos")
    eventually(lambda: playback.mpv("get_property", "estimated-frame-number") > 25, 10, "the picture moves")
    assert playback.mpv("get_property", "time-pos") != shown
    # What was played before is not played again, and all before the change was.
    segments = sent(platform)
    first = segments.index("hevc-0.ts")
    assert f"h264-{BEFORE - 1}.ts" in segments[:first] and not any(name.startswith("h264") for name in segments[first:])
    status, receipt = playback.interrupt()
    assert (status, receipt["settled"], len(receipt["session_ids"])) == (130, True, 1)
