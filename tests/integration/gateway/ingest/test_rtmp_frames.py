"""Large frames at the real ingest, and the memory that all connections share."""

import socket
import subprocess
from pathlib import Path

from tests.integration.gateway.ingest.harness import GOOD, QUICK, connected, picture, run_ingest

# RTMP carries 2**24 - 1 bytes. One picture a second, which x264 pads to a constant rate.
KEY_FRAME_BYTES = 16_700_000
BPS = str(8 * KEY_FRAME_BYTES)
SMALL_MEMORY_BYTES = 192 << 20


def ffmpeg(*arguments: str) -> list[str]:
    return ["ffmpeg", "-nostdin", "-v", "error", *arguments]


def pictures(source: str, count: int, *opening: str) -> list[str]:
    """Return size and digest of the first coded pictures of a source."""
    what = ["-map", "0:v", "-c", "copy", "-frames:v", str(count), "-f", "framemd5", "-"]
    done = subprocess.run(ffmpeg(*opening, "-i", source, *what), capture_output=True, text=True, timeout=60)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    return [line.split(",", 4)[4] for line in lines]


def test_the_largest_key_frames_of_rtmp_arrive_unchanged(tmp_path: Path) -> None:
    clip = str(tmp_path / "large.mp4")
    rate = ["-b:v", BPS, "-maxrate", BPS, "-bufsize", BPS]
    fill = ["-g", "1", "-x264-params", "nal-hrd=cbr:force-cfr=1", *rate]
    inputs = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=1", "-f", "lavfi", "-i", "sine", "-t", "4"]
    made = ffmpeg(*inputs, "-c:v", "libx264", "-preset", "ultrafast", *fill, "-c:a", "aac", clip)
    subprocess.run(made, check=True, timeout=60)
    sent = pictures(clip, 4)
    assert all(int(each.split(",")[0]) >= KEY_FRAME_BYTES for each in sent)
    with run_ingest() as ingest:
        url = ingest.url(GOOD)
        looped = ffmpeg("-re", "-stream_loop", "-1", "-i", clip, "-c", "copy", "-f", "flv", url)
        ingest.started.append(subprocess.Popen(looped, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        came = pictures(url, 4, *QUICK)
        assert len(came) == 4 and set(came) <= set(sent)
        assert ingest.started[0].poll() is None


def test_only_connections_that_fill_the_memory_are_ended() -> None:
    with run_ingest(memory_bytes_max=SMALL_MEMORY_BYTES) as small:
        sender = small.sender()
        assert small.plays()
        strangers = [connected(small.port) for _ in range(8)]
        ended = [fills_memory(stranger) for stranger in strangers]
        assert ended[0] is False and ended[-1] is True
        assert small.plays() and sender.poll() is None and small.process.poll() is None
        for stranger in strangers:
            stranger.close()


def fills_memory(stranger: socket.socket) -> bool:
    """Start a picture on each chunk stream and complete none. Return whether the ingest ended the connection."""
    body = bytes(128)
    try:
        for number in range(3, 16):
            stranger.sendall(picture(number, body))
            stranger.sendall((bytes([0xC0 | number]) + body) * (2 << 20 >> 7))
    except OSError:
        return True
    return False
