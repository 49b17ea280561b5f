"""Real sources of every kind: publishers, and servers that are pulled from."""

import subprocess
from collections.abc import Sequence

PICTURE = ("-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25")
SOUND = ("-f", "lavfi", "-i", "sine=sample_rate=48000")
ENCODED = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac")


def send(*output: str, sound: bool = True) -> subprocess.Popen[bytes]:
    """An ffmpeg that publishes a small pattern in real time, until it is killed or refused."""
    return started(["ffmpeg", "-v", "error", *PICTURE, *(SOUND if sound else ()), *ENCODED, *output])


def send_srt(port: int, key: str, *, sound: bool = True) -> subprocess.Popen[bytes]:
    """To a stream that listens for SRT."""
    return send("-f", "mpegts", f"srt://127.0.0.1:{port}?passphrase={key}&pbkeylen=16", sound=sound)


def started(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    """A process that says nothing."""
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill it, if it has not ended."""
    process.kill()
    process.wait(10)
