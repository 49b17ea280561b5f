"""Real mpv continues with the other codec when the picture's codec changes."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.player.platform_server import PlatformServer
from tests.integration.player.player_harness import Player, wait_until

BEFORE, AFTER = 5, 20
ENCODERS = {"h264": ("libx264",), "hevc": ("libx265", "-x265-params", "log-level=none")}


@pytest.fixture
def changing(platform: PlatformServer, tmp_path: Path) -> Iterator[Path]:
    """A recorded stream that the platform serves as live; its playlist names what `listed` writes."""
    directory = tmp_path / "changing"
    directory.mkdir()
    for codec, from_s, count in (("h264", 0, BEFORE), ("hevc", BEFORE, AFTER)):
        sources = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25", "-f", "lavfi", "-i", "sine=frequency=440")
        made = ("-t", str(count), "-c:v", *ENCODERS[codec], "-preset", "ultrafast", "-g", "25", "-c:a", "aac")
        hls = ("-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "-output_ts_offset", str(from_s))
        names = ("-hls_segment_filename", str(directory / f"{codec}-%d.ts"), str(tmp_path / f"{codec}.m3u8"))
        subprocess.run(["ffmpeg", "-v", "error", *sources, *made, *hls, *names], check=True, timeout=60)
    platform.media.directory = directory
    listed(directory, BEFORE, 0)
    yield directory


def listed(directory: Path, before: int, after: int) -> None:
    """List so many segments of each codec."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:1", "#EXT-X-MEDIA-SEQUENCE:0"]
    lines += [line for n in range(before) for line in ("#EXTINF:1,", f"h264-{n}.ts")]
    lines += ["#EXT-X-DISCONTINUITY"] * bool(after)
    lines += [line for n in range(after) for line in ("#EXTINF:1,", f"hevc-{n}.ts")]
    written = directory / "written"
    written.write_text("\n".join([*lines, ""]))
    written.rename(directory / "index.m3u8")


def given(platform: PlatformServer) -> list[str]:
    """The segments that were fetched, by name."""
    asked = [path.rpartition("/")[2] for _, _, path, status, _ in platform.seen("GET", "/play/") if status == 200]
    return [name for name in asked if name.endswith(".ts")]


def test_mpv_goes_on_with_another_codec(platform: PlatformServer, viewer: Player, changing: Path) -> None:
    playback = viewer.play()
    wait_until(lambda: f"h264-{BEFORE - 1}.ts" in given(platform), 20, "H.264 is not played")
    assert playback.mpv("get_property", "video-format") == "h264"
    listed(changing, BEFORE, 4)
    wait_until(lambda: playback.mpv("get_property", "video-format") == "hevc", 20, "mpv does not go on with HEVC")
    listed(changing, BEFORE, AFTER)
    shown = playback.mpv("get_property", "time-pos")
    wait_until(lambda: playback.mpv("get_property", "estimated-frame-number") > 25, 10, "the picture is frozen")
    assert playback.mpv("get_property", "time-pos") != shown
    # What was played before is not played again, and all before the change was.
    segments = given(platform)
    first = segments.index("hevc-0.ts")
    assert f"h264-{BEFORE - 1}.ts" in segments[:first] and not any(name.startswith("h264") for name in segments[first:])
    playback.process.send_signal(signal.SIGINT)
    status, receipt = playback.finish()
    assert (status, receipt["settled"], len(receipt["session_ids"])) == (130, True, 1)
