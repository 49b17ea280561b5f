"""What the worker adds to its encoder's work, on a whole local platform: `make bench`.

- How long a finished segment takes until a playlist names it: in the store, and for a viewer through the gateway, which
  keeps a playlist for a second. A segment is finished when the encoder gives its file the final name.
- The processor time of the whole path: receiver, encoder and worker, over the same span.
- The processor time of streams that are passed on as they are (`source`) against one that is encoded (`hd`), side by
  side, and how many of the former a core carries.
"""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx

from bench.cpu import cpu_s
from chalicelib.adapters.s3_media import S3Media
from chalicelib.domain.streams import media_key
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
    """Print all figures."""
    with private_stack(sessions_per_user_max=3) as stack, Operator(stack.url) as operator:
        stream = Streams(stack, operator)
        stream.make_clip()
        stream.live("bench-hd", "hd")
        visible(stack, operator)
        stream.stopped("bench-hd")
        processor_time(stack, stream)
    return 0


class Streams:
    """Streams of the clip, made and put live by the operator."""

    def __init__(self, stack: Stack, operator: Operator) -> None:
        self._stack = stack
        self._operator = operator

    def make_clip(self) -> None:
        """A clip with a keyframe every second, as a camera of our own would send it."""
        source = ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25", "-f", "lavfi", "-i", "sine"]
        encoding = [
            "-t",
            "20",
            "-c:v",
            "libx264",
            "-preset",
            "superfast",
            "-g",
            "25",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
        ]
        path = self._stack.layout.media_dir / CLIP
        subprocess.run(["ffmpeg", "-v", "error", "-y", *source, *encoding, path], check=True, timeout=120)

    def live(self, stream_id: str, profile: str) -> None:
        """Make the stream and wait until it is live."""
        ingest = {"mode": "file", "path": CLIP}
        body = {
            "stream_id": stream_id,
            "title": stream_id,
            "ingest": ingest,
            "abr_profile": profile,
            "segment_seconds": 1,
        }
        self._operator.do("POST", "/streams", body)
        self._operator.do("POST", f"/streams/{stream_id}/state", {"state": "live"})
        wait_for(f"live {stream_id}", lambda: self._state(stream_id) == "live", LIVE_S_MAX)

    def stopped(self, stream_id: str) -> None:
        """Stop it and wait until its worker has let go."""
        self._operator.do("POST", f"/streams/{stream_id}/state", {"state": "stopped"})
        wait_for(f"end of {stream_id}", lambda: self._state(stream_id) == "stopped", LIVE_S_MAX)

    def _state(self, stream_id: str) -> str:
        return str(self._operator.do("GET", f"/streams/{stream_id}/runtime").document["state"])


def visible(stack: Stack, operator: Operator) -> None:
    """From the finished segment to the playlist that names it."""
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
        finished, stored, seen = Moments(), Moments(), Moments()
        watch(lambda: scratch_segments(stack, rendition), finished, undo)
        watch(lambda: named(body_of(media, key)), stored, undo)
        watch(lambda: named(session.playlist(rendition)), seen, undo)
        wait_for("segments", lambda: len(seen.at_s) > SEGMENTS, SEGMENTS * 3.0)
    for place, moments in (("in the store", stored), ("through the gateway", seen)):
        delays = sorted(
            1000 * (at_s - finished.at_s[name])
            for name, at_s in moments.at_s.items()
            if name in finished.at_s and name not in moments.first
        )
        print(
            f"segment finished -> named by a playlist {place}: p50 {statistics.median(delays):.0f} ms, "
            f"p99 {delays[int(len(delays) * 0.99)]:.0f} ms, of {len(delays)}",
            flush=True,
        )


class Session:
    """A viewer's playlists, with beats whenever one is due."""

    def __init__(self, http: httpx.Client, viewer: dict[str, str], started: dict[str, object]) -> None:
        self._http = http
        self._viewer = viewer
        self._answer = started
        self._seq = 1
        self._beat_at_s = 0.0
        self._note()

    def playlist(self, rendition: str) -> str:
        """The media playlist as it is served now."""
        if time.monotonic() > self._beat_at_s:
            self._seq += 1
            body = {"session_id": self._answer["session_id"], "seq": self._seq}
            self._answer = self._http.post("/playback/heartbeat", json=body, headers=self._viewer).json()
            self._note()
        headers = {"Authorization": f"Bearer {self._answer['play_token']}"}
        return self._http.get(f"/play/{self._answer['session_id']}/{rendition}/index.m3u8", headers=headers).text

    def _note(self) -> None:
        self._beat_at_s = time.monotonic() + int(str(self._answer["next_beat_in_ms"])) / 1000


class Moments:
    """When each name was there first. Of those of the first look nobody knows for how long they had been."""

    def __init__(self) -> None:
        self.at_s: dict[str, float] = {}
        self.first: set[str] = set()

    def note(self, names: dict[str, float]) -> None:
        """Names that are there now, with their moments by the wall clock, in seconds."""
        if not self.at_s:
            self.first.update(names)
        self.at_s = {**names, **self.at_s}


def watch(look: Callable[[], dict[str, float]], moments: Moments, undo: ExitStack) -> None:
    """Look again and again in a thread of its own, until `undo` is unwound."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(POLL_S):
            moments.note(look())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    undo.callback(thread.join, 5)
    undo.callback(stop.set)


def scratch_segments(stack: Stack, rendition: str) -> dict[str, float]:
    """The finished segments that the worker has not removed yet, and when each got its name."""
    found = {}
    for path in stack.layout.work_dir.glob(f"*/bench-hd/*/*/{rendition}/*.ts"):
        with suppress(FileNotFoundError):
            found[path.name] = path.stat().st_ctime
    return found


def body_of(media: S3Media, key: str) -> str:
    """An object as text, empty where there is none."""
    stored = media.get(key)
    return stored.body.decode() if stored else ""


def named(playlist: str) -> dict[str, float]:
    """The segments that a playlist names, now that it has been read."""
    return dict.fromkeys((line for line in playlist.splitlines() if line.endswith(".ts")), time.time())


def processor_time(stack: Stack, streams: Streams) -> None:
    """The worker's against its programs': a ladder that is encoded alone, then copied streams beside it."""
    worker = stack.pid("worker")
    streams.live("bench-encoded", "hd")
    own, spent = spent_s(worker)
    print(f"\none `hd` stream for {SPAN_S:.0f} s:")
    for name, seconds in sorted(spent.items()):
        print(f"  {name}: {seconds:.2f} s of processor time")
    encoder = spent["encoder"]
    print(f"  the worker: {own:.2f} s, {own / encoder:.3f} of the encoder's; all: {own + sum(spent.values()):.2f} s")
    for number in range(COPIED_STREAMS):
        streams.live(f"bench-copied-{number}", "source")
    own_of_all, spent_of_all = spent_s(worker)
    copied = (sum(spent_of_all.values()) - sum(spent.values())) / COPIED_STREAMS
    share = (own_of_all - own) / COPIED_STREAMS
    print(f"with {COPIED_STREAMS} `source` streams beside it:")
    print(f"  each: programs {copied:.2f} s ({copied / encoder:.4f} of the encoder's), the worker {share:.2f} s more")
    print(f"  a core carries {SPAN_S / (copied + share):.0f} `source` streams")


def spent_s(worker: int) -> tuple[float, dict[str, float]]:
    """Processor time in seconds over `SPAN_S`: the worker's, and by name its programs'."""
    children = programs(worker)
    before = {pid: cpu_s(pid) for pid in (worker, *children)}
    time.sleep(SPAN_S)
    spent: dict[str, float] = {}
    for pid, name in children.items():
        spent[name] = spent.get(name, 0.0) + cpu_s(pid) - before[pid]
    return cpu_s(worker) - before[worker], spent


def programs(worker: int) -> dict[int, str]:
    """The names of the worker's programs, by their process ids: receivers and encoders."""
    children = Path(f"/proc/{worker}/task").glob("*/children")
    pids = [int(pid) for path in children for pid in path.read_text().split()]
    return {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in pids}


if __name__ == "__main__":
    sys.exit(main())
