"""The streams of a run: a test pattern with segments of 1, 2, 6 and 10 s, and a copied file."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from infra.local.layout import ROOT
from tests.faults.adversary.media_client import ENTRY, MediaClient
from tests.faults.harness.private_stack import Operator
from tests.fixtures.stack import Stack
from tests.fixtures.waiting import wait_for

# A millipoint is a millisecond, so what was paid reads as time.
RATE_MILLIPOINTS_PER_MINUTE = 60_000
# Production's default.
LEASE_MS = 10_000
LIVE_S_MAX = 90.0
STOP_S_MAX = 30.0
STREAMS_OF_A_WORKER = 4
SOURCE = "copied.ts"
# Small pictures at the least rate: the run is about money, not about pictures.
PATTERN = {
    "ingest": {"mode": "test"},
    "abr_profile": "custom",
    "fps_max": 10,
    "custom_renditions": [
        {"name": "high", "width": 192, "height": 108, "video_bps": 500_000, "audio_bps": 64_000},
        {"name": "low", "width": 128, "height": 72, "video_bps": 200_000, "audio_bps": 32_000},
    ],
}
# Copied segments are as long as the source's distance of key frames, whatever the stream's setting is.
COPIED = {"ingest": {"mode": "file", "path": SOURCE}, "abr_profile": "source", "window_minutes": 2}
COPIED_SEGMENT_S = 4
STREAMS: dict[str, dict[str, Any]] = {
    "1s": {**PATTERN, "segment_seconds": 1},
    "2s": {**PATTERN, "segment_seconds": 2},
    "6s": {**PATTERN, "segment_seconds": 6},
    "10s": {**PATTERN, "segment_seconds": 10},
    "copied": {**COPIED, "segment_seconds": 2},
}


@contextmanager
def live_streams(stack: Stack, operator: Operator, names: Sequence[str], lease_ms: int = LEASE_MS) -> Iterator[None]:
    """Create these streams, and put them live. Further workers run what the platform's own has no capacity for."""
    with ExitStack() as undo:
        if "copied" in names:
            make_source(stack.layout.media_dir / SOURCE)
        for number in range((len(names) - 1) // STREAMS_OF_A_WORKER):
            undo.enter_context(_worker(stack, f"further-{number}"))
        price = {"rate_millipoints_per_minute": RATE_MILLIPOINTS_PER_MINUTE, "lease_ms": lease_ms}
        for name in names:
            operator.do("POST", "/streams", {"stream_id": name, "title": name, **STREAMS[name], **price})
            operator.do("POST", f"/streams/{name}/state", {"state": "live"})
        for name in names:
            wait_for(f"live stream {name}", lambda name=name: _is(operator, name, "live"), LIVE_S_MAX)
        try:
            yield
        finally:
            for name in names:
                operator.do("POST", f"/streams/{name}/state", {"state": "stopped"})


def await_window(operator: Operator, name: str, seconds: float) -> None:
    """Wait until the window of a stream is this long."""
    preview = operator.do("POST", f"/streams/{name}/preview").document
    client = MediaClient(operator.url)

    def text(path: str) -> str:
        headers = {"Authorization": f"Bearer {preview['play_token']}"}
        return client.text(f"/play/{preview['session_id']}/{path}", headers).body.decode()

    def is_long_enough() -> bool:
        rendition = next((line for line in text("index.m3u8").splitlines() if line.endswith("/index.m3u8")), "")
        return sum(float(duration) for duration, _ in ENTRY.findall(text(rendition))) >= seconds

    wait_for(f"window of {name}", is_long_enough, seconds + LIVE_S_MAX)
    operator.do("POST", "/playback/stop", {"session_id": preview["session_id"]})
    client.close()


def make_source(path: Path) -> None:
    """Encode a minute of noise at 6 Mbit/s, so that a segment does not fit the buffers of a connection."""
    picture = "testsrc2=size=320x180:rate=25,noise=alls=100:allf=t"
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "6M", "-maxrate", "6M", "-bufsize", "6M"]
    every = str(25 * COPIED_SEGMENT_S)
    argv = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine"]
    argv += [*encoder, "-pix_fmt", "yuv420p", "-g", every, "-keyint_min", every, "-sc_threshold", "0", "-c:a", "aac"]
    subprocess.run([*argv, "-t", "60", str(path)], check=True, stdin=subprocess.DEVNULL, timeout=120)


def _is(operator: Operator, name: str, state: str) -> bool:
    return bool(operator.do("GET", f"/streams/{name}/runtime").document["state"] == state)


@contextmanager
def _worker(stack: Stack, worker_id: str) -> Iterator[None]:
    environ = stack.environ | {"TOLLCAST_WORKER_ID": worker_id}
    with (stack.layout.log_dir / f"{worker_id}.log").open("ab") as log:
        argv = [sys.executable, "-m", "worker"]
        process = subprocess.Popen(argv, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S_MAX)
