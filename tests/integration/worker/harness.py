"""Workers on the emulator: pipelines in this process, or whole worker processes."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import m3u8

from chalicelib.adapters.clock import SystemClock
from chalicelib.adapters.streams.dynamodb_ingest_issues import DynamoIngestIssues
from chalicelib.adapters.streams.dynamodb_runtimes import DynamoRuntimes
from chalicelib.adapters.streams.dynamodb_streams import DynamoStreams
from chalicelib.adapters.streams.s3_media import S3Media
from chalicelib.adapters.streams.sqs_work import SqsWorkQueue
from chalicelib.config import Settings
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.ladders import Rendition
from chalicelib.domain.streams.runtime import Claim, Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from infra.local.layout import ROOT
from tests.fakes.streams.media import FaultyMedia
from tests.fixtures.waiting import eventually
from tests.integration.worker.follower import Follower
from worker import claims, config
from worker.supervision.agent import DRAIN_S
from worker.supervision.pipeline import Pipeline, Ports

STREAM = "stream-1"
SMALL = Rendition(name="180p", width=320, height=180, video_bps=300_000, audio_bps=64_000)


class RecordingRuntimes(DynamoRuntimes):
    def __init__(self, table_prefix: str) -> None:
        super().__init__(table_prefix)
        self.reports: list[Runtime] = []

    def report(self, claim: Claim, runtime: Runtime) -> bool:
        self.reports.append(runtime)
        return super().report(claim, runtime)

    def changes(self) -> list[Runtime]:
        return [next(group) for _, group in itertools.groupby(self.reports, key=lambda report: report.state)]


class Lab:
    """A stage of the emulator with one stream, and the workers that were started on it."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self.directory = directory
        self.media_dir = directory / "media"
        self.media_dir.mkdir()
        self.streams = DynamoStreams(settings.table_prefix)
        self.runtimes = RecordingRuntimes(settings.table_prefix)
        self.issues = DynamoIngestIssues(settings.table_prefix)
        self.queue = SqsWorkQueue(settings.work_queue)
        self.s3 = S3Media(settings.media_bucket)
        self.media = FaultyMedia(self.s3)
        self.follower = Follower(self.s3, STREAM)
        self.pipelines: list[Pipeline] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        # What a test sets in the settings of the pipelines in this process.
        self.settings: dict[str, Any] = {}
        self.rendition = SMALL.name

    def add(self, **changes: Any) -> Stream:
        """Store the stream, live. Without a profile it has the rendition `SMALL` alone, which is quick to encode."""
        values = {"segment_seconds": 1, "created_at_ms": SystemClock().now_ms(), "desired_state": DesiredState.LIVE}
        ladder = {} if "abr_profile" in changes else {"abr_profile": "custom", "custom_renditions": (SMALL,)}
        values |= {"ingest": Ingest(mode=IngestMode.TEST), **ladder, **changes}
        stream = Stream(stream_id=STREAM, title="Test", **values)
        self.rendition = {"custom": SMALL.name, "source": "source"}.get(stream.abr_profile, "480p")
        self.streams.add(stream)
        return stream

    def add_file(self, path: str, **changes: Any) -> Stream:
        return self.add(ingest=Ingest(mode=IngestMode.FILE, path=path), **changes)

    def change(self, *, hint: bool = False, **changes: Any) -> None:
        """Change the stream as the API does for an operator."""
        seen = self.streams.get(STREAM)
        assert seen
        self.streams.replace(seen, replace(seen, **changes))
        if hint:
            self.queue.send(STREAM)

    def environ(self, worker_id: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TOLLCAST_WORKER_ID": worker_id,
            "TOLLCAST_MEDIA_DIR": str(self.media_dir),
            "TOLLCAST_WORK_DIR": str(self.directory / "work"),
        }

    def pipeline(self, worker_id: str = "w1") -> Pipeline:
        """Claim the stream and run it in this process."""
        settings = replace(config.load(self.environ(worker_id)), **self.settings)
        stream = self.streams.get(STREAM)
        held_claim = claims.claim_stream(self.runtimes, SystemClock(), STREAM, worker_id)
        assert stream and held_claim
        ports = Ports(self.streams, self.runtimes, self.media, self.issues, SystemClock())
        pipeline = Pipeline(ports, settings, stream, held_claim)
        self.pipelines.append(pipeline)
        pipeline.start()
        return pipeline

    def process(self, worker_id: str = "w1") -> subprocess.Popen[bytes]:
        options = {"cwd": ROOT, "env": self.environ(worker_id), "stdin": subprocess.DEVNULL}
        with (self.directory / f"{worker_id}.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", "worker"], stdout=log, stderr=log, **options)
        self.processes.append(process)
        return process

    def runtime(self) -> Runtime:
        return self.runtimes.get(STREAM) or Runtime(stream_id=STREAM)

    def wait_for(self, state: RuntimeState, timeout_s: float = 20) -> Runtime:
        eventually(lambda: self.runtime().state is state, timeout_s, state, self.runtime)
        return self.runtime()

    def wait_for_segments(self, count: int, timeout_s: float = 20) -> int:
        """Follow until there are so many more segments; return the newest number."""
        goal = self.follower.poll() + count
        eventually(lambda: self.follower.poll() >= goal, timeout_s, f"segment {goal}", self.runtime)
        return goal

    def wait_for_run(self, run: str, timeout_s: float = 20) -> None:
        """Follow until a segment of this run (`<epoch>-<run>`) is named."""
        eventually(lambda: self.follower.poll() >= 0 and run in self.runs(), timeout_s, run, self.runtime)

    def runs(self) -> list[str]:
        return self.follower.runs(self.rendition)

    def encoders(self) -> list[int]:
        """Return the process ids of this lab's encoders: their command lines name its directory."""
        return self.programs("encoder", str(self.directory))

    def programs(self, name: str, word: str = "") -> list[int]:
        """Return the process ids of programs with this in their command line; with a name, those of that name."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                found_name = (entry / "comm").read_text().strip()
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if name in ("", found_name) and word.encode() in words:
                found.append(int(entry.name))
        return sorted(found)

    def signal_encoder(self, number: signal.Signals) -> None:
        (pid,) = eventually(self.encoders, 5, "an encoder")
        os.kill(pid, number)

    def fetch(self, rendition: str | None = None) -> bytes:
        """Return all segments that are named now, in order, as one transport stream."""
        return b"".join(self.segments(rendition).values())

    def segments(self, rendition: str | None = None) -> Mapping[str, bytes]:
        """Return the segments that are named now, by name."""
        rendition = rendition or self.rendition
        return {each.uri: self.stored(f"{rendition}/{each.uri}") for each in self.playlist(rendition).segments}

    def stored(self, path: str) -> bytes:
        """Return an object of the stream."""
        found = self.s3.get(f"streams/{STREAM}/{path}")
        assert found, path
        return found.body

    def playlist(self, rendition: str | None = None) -> m3u8.M3U8:
        return m3u8.loads(self.stored(f"{rendition or self.rendition}/index.m3u8").decode())

    def close(self) -> None:
        for pipeline in self.pipelines:
            pipeline.hand_over(time.monotonic() + DRAIN_S)
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait(10)
        for pipeline in self.pipelines:
            pipeline.join(10)
            assert not pipeline.is_alive()
        eventually(lambda: not self.encoders(), 5, "no encoder left over")
        assert self.follower.problems == []
