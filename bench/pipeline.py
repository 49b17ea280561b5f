"""Measure what the worker adds to the encoder's work, on a whole local platform: `make bench`.

- The delay from a finished segment to the playlist that names it: in the store, and through the gateway, which caches a
  playlist for a second. A segment is finished when the encoder renames its file to the final name.
- The processor time of receiver, encoder and worker over the same span.
- The processor time of copied streams (`source`) and of an encoded one (`hd`) on the same platform, and the number of
  copied streams that one core carries.
"""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import httpx
import psutil

from bench.cpu import cpu_s
from chalicelib.adapters.streams.s3_media import S3Media
from chalicelib.domain.streams.media_keys import media_key
from tests.faults.harness.private_stack import Operator, private_stack
from tests.fixtures.stack import Stack
from tests.fixtures.waiting import wait_for

SEGMENTS = 60
POLL_S = 0.01
SPAN_S = 60.0
COPIED_STREAMS = 3
LIVE_S_MAX = 60.0
CLIP = "bench.mp4"
LADDER = ("720p", "480p")


def main() -> int:
    """Print all measurements."""
    with private_stack(sessions_per_user_max=3) as stack, Operator(stack.url) as operator:
        streams = Streams(stack, operator)
        streams.make_clip()
        streams.start("bench-hd", "hd")
        measure_delay(stack, operator)
        streams.stop("bench-hd")
        measure_processor_time(stack, streams)
    return 0


class Streams:
    """Streams of the clip that the operator starts and stops."""

    def __init__(self, stack: Stack, operator: Operator) -> None:
        self._stack = stack
        self._operator = operator

    def make_clip(self) -> None:
        """Create a clip with a keyframe every second."""
        source = ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25", "-f", "lavfi", "-i", "sine", "-t", "20"]
        encoding = ["-c:v", "libx264", "-preset", "superfast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac"]
        path = self._stack.layout.media_dir / CLIP
        subprocess.run(["ffmpeg", "-v", "error", "-y", *source, *encoding, path], check=True, timeout=120)

    def start(self, stream_id: str, profile: str) -> None:
        """Create the stream and wait until it is live."""
        settings = {"ingest": {"mode": "file", "path": CLIP}, "abr_profile": profile, "segment_seconds": 1}
        self._operator.do("POST", "/streams", {"stream_id": stream_id, "title": stream_id, **settings})
        self._operator.do("POST", f"/streams/{stream_id}/state", {"state": "live"})
        wait_for(f"live {stream_id}", lambda: self._state(stream_id) == "live", LIVE_S_MAX)

    def stop(self, stream_id: str) -> None:
        """Stop the stream and wait until its worker has released it."""
        self._operator.do("POST", f"/streams/{stream_id}/state", {"state": "stopped"})
        wait_for(f"end of {stream_id}", lambda: self._state(stream_id) == "stopped", LIVE_S_MAX)

    def _state(self, stream_id: str) -> str:
        return str(self._operator.do("GET", f"/streams/{stream_id}/runtime").document["state"])


def measure_delay(stack: Stack, operator: Operator) -> None:
    """Measure the delay from a finished segment to the playlist that names it."""
    account, _ = operator.viewer(10_000_000)
    stream_id, rendition = "bench-hd", LADDER[0]
    with ExitStack() as undo:
        http = undo.enter_context(httpx.Client(base_url=stack.url, timeout=10))
        login = http.post("/auth/login", json={"email": account.email, "password": account.password}).json()
        viewer = {"Authorization": f"Bearer {login['access_token']}"}
        started = http.post("/playback/start", json={"stream_id": stream_id}, headers=viewer).json()
        undo.callback(lambda: http.post("/playback/stop", json={"session_id": started["session_id"]}, headers=viewer))
        session = Session(http, viewer, started)
        os.environ.update(stack.environ)
        media = S3Media(stack.environ["TOLLCAST_MEDIA_BUCKET"])
        key = media_key(stream_id, f"{rendition}/index.m3u8")
        finished, stored, served = FirstSeen(), FirstSeen(), FirstSeen()
        watch(lambda: scratch_segments(stack, rendition), finished, undo)
        watch(lambda: named(body_of(media, key)), stored, undo)
        watch(lambda: named(session.playlist(rendition)), served, undo)
        wait_for("segments", lambda: len(served.at_s) > SEGMENTS, SEGMENTS * 3.0)
    for place, names in (("in the store", stored), ("through the gateway", served)):
        delays = sorted(
            1000 * (at_s - finished.at_s[name])
            for name, at_s in names.at_s.items()
            if name in finished.at_s and name not in names.initial
        )
        print(
            f"segment finished -> named by a playlist {place}: p50 {statistics.median(delays):.0f} ms, "
            f"p99 {delays[int(len(delays) * 0.99)]:.0f} ms, of {len(delays)}",
            flush=True,
        )


class Session:
    """A viewer's session that sends heartbeats when they are due."""

    def __init__(self, http: httpx.Client, viewer: dict[str, str], started: dict[str, object]) -> None:
        self._http = http
        self._viewer = viewer
        self._answer = started
        self._seq = 1
        self._beat_at_s = 0.0
        self._schedule_beat()

    def playlist(self, rendition: str) -> str:
        """Return the current media playlist."""
        if time.monotonic() > self._beat_at_s:
            self._seq += 1
            body = {"session_id": self._answer["session_id"], "seq": self._seq}
            self._answer = self._http.post("/playback/heartbeat", json=body, headers=self._viewer).json()
            self._schedule_beat()
        headers = {"Authorization": f"Bearer {self._answer['play_token']}"}
        return self._http.get(f"/play/{self._answer['session_id']}/{rendition}/index.m3u8", headers=headers).text

    def _schedule_beat(self) -> None:
        self._beat_at_s = time.monotonic() + int(str(self._answer["next_beat_in_ms"])) / 1000


class FirstSeen:
    """The time at which each name was seen first. The `initial` names existed before the first poll."""

    def __init__(self) -> None:
        self.at_s: dict[str, float] = {}
        self.initial: set[str] = set()

    def add(self, names: dict[str, float]) -> None:
        """Add the current names, with wall-clock times in seconds."""
        if not self.at_s:
            self.initial.update(names)
        self.at_s = {**names, **self.at_s}


def watch(poll: Callable[[], dict[str, float]], names: FirstSeen, undo: ExitStack) -> None:
    """Poll in a thread until `undo` is closed."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(POLL_S):
            names.add(poll())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    undo.callback(thread.join, 5)
    undo.callback(stop.set)


def scratch_segments(stack: Stack, rendition: str) -> dict[str, float]:
    """Return the finished segments that the worker has not deleted yet, and when each was renamed."""
    found = {}
    for path in stack.layout.work_dir.glob(f"*/bench-hd/*/*/{rendition}/*.ts"):
        with suppress(FileNotFoundError):
            found[path.name] = path.stat().st_ctime
    return found


def body_of(media: S3Media, key: str) -> str:
    """Return an object as text, or an empty text if it does not exist."""
    stored = media.get(key)
    return stored.body.decode() if stored else ""


def named(playlist: str) -> dict[str, float]:
    """Return the segments that a playlist names, with the current time."""
    return dict.fromkeys((line for line in playlist.splitlines() if line.endswith(".ts")), time.time())


def measure_processor_time(stack: Stack, streams: Streams) -> None:
    """Measure the worker and its programs: one encoded stream, then copied streams in addition."""
    worker = stack.pid("worker")
    streams.start("bench-encoded", "hd")
    worker_s, programs_s = spent_s(worker)
    print(f"\none `hd` stream for {SPAN_S:.0f} s:")
    for name, seconds in sorted(programs_s.items()):
        print(f"  {name}: {seconds:.2f} s of processor time")
    encoder_s, all_s = programs_s["encoder"], worker_s + sum(programs_s.values())
    print(f"  the worker: {worker_s:.2f} s, {worker_s / encoder_s:.3f} of the encoder's; all: {all_s:.2f} s")
    for number in range(COPIED_STREAMS):
        streams.start(f"bench-copied-{number}", "source")
    worker_of_all_s, programs_of_all_s = spent_s(worker)
    copied = (sum(programs_of_all_s.values()) - sum(programs_s.values())) / COPIED_STREAMS
    share = (worker_of_all_s - worker_s) / COPIED_STREAMS
    print(f"with {COPIED_STREAMS} `source` streams in addition:")
    print(f"  each: programs {copied:.2f} s ({copied / encoder_s:.4f} of the encoder's), the worker {share:.2f} s more")
    print(f"  a core carries {SPAN_S / (copied + share):.0f} `source` streams")


def spent_s(worker: int) -> tuple[float, dict[str, float]]:
    """Return the processor time over `SPAN_S`, in seconds: of the worker, and of its programs by name."""
    children = programs(worker)
    before = {pid: cpu_s(pid) for pid in (worker, *children)}
    time.sleep(SPAN_S)
    spent: dict[str, float] = {}
    for pid, name in children.items():
        spent[name] = spent.get(name, 0.0) + cpu_s(pid) - before[pid]
    return cpu_s(worker) - before[worker], spent


def programs(worker: int) -> dict[int, str]:
    """Return the names of the worker's receivers and encoders by process id."""
    return {child.pid: child.name() for child in psutil.Process(worker).children()}


if __name__ == "__main__":
    sys.exit(main())
