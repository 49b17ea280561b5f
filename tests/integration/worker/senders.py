"""Real sources of every kind: publishers, and a server of a live playlist."""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.authority import Authority
from tests.integration.worker.origins import Origin, Page

SIZE = "320x180"
PICTURE = ("-re", "-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate=25")
SOUND = ("-f", "lavfi", "-i", "sine=sample_rate=48000")
ENCODED = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac")


@contextmanager
def sending(*output: str, sound: bool = True) -> Iterator[subprocess.Popen[bytes]]:
    """Publish a small pattern with ffmpeg in real time, for as long as it is accepted and needed."""
    with _running(*PICTURE, *(SOUND if sound else ()), *ENCODED, *output) as process:
        yield process


@contextmanager
def mute_by_srt(port: int, key: str) -> Iterator[subprocess.Popen[bytes]]:
    with _running("-i", f"srt://127.0.0.1:{port}?passphrase={key}&pbkeylen=16", "-f", "null", "-") as process:
        yield process


@contextmanager
def mute_by_rtmp(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Connect a sender whose first picture comes late."""
    with _running("-re", "-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate=1/60", *ENCODED, "-f", "flv", url) as process:
        yield process


@contextmanager
def _running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    argv = ["ffmpeg", "-nostdin", "-v", "error", *arguments]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def srt_output(port: int, key: str) -> Sequence[str]:
    return ("-f", "mpegts", f"srt://127.0.0.1:{port}?passphrase={key}&pbkeylen=16")


def free_udp_port() -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


class Files(dict[str, Page]):
    """The pages of an origin that are files of a directory, read at each request."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory

    def get(self, path: str, default: Page | None = None) -> Page | None:  # type: ignore[override]
        try:
            body = (self._directory / path.lstrip("/")).read_bytes()
        except OSError:
            return default
        return Page([body], headers={"Content-Length": str(len(body))})


@contextmanager
def live_hls(directory: Path, authority: Authority, name: str, port: int = 0) -> Iterator[Origin]:
    """Serve `/live.m3u8` by HTTPS, whose window of 6 s slides."""
    directory.mkdir()
    hls = ("-f", "hls", "-hls_time", "1", "-hls_list_size", "6", "-hls_flags", "delete_segments+temp_file")
    with sending(*hls, str(directory / "live.m3u8")), Origin("127.0.0.1", authority.context(name), port) as origin:
        origin.pages = Files(directory)
        yield origin
