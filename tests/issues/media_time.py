"""Puts an input through the worker's receiver, encoder and issue rules by the clock of its media, not by the wall's.

Receiver, run, judge and tracker are the product's; only the time is the media's, so that minutes take seconds. It does
what `worker.supervision.observing` does: all that is known of a source comes from its packets.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from chalicelib.domain.streams.issues.ingest_issues import IngestIssue, IssueType
from chalicelib.domain.streams.ladders import FPS_MAX_DEFAULT, Rendition
from chalicelib.domain.streams.media_health import Repairs
from chalicelib.domain.streams.stream import Stream
from tests.issues.inputs import Connection, IssueInput
from tests.media.inputs.making import run_line
from tests.media.quick import CHUNK_BYTES, FILE
from worker.encoding.copy_segmentation import FILE_FORMATS, plan_copy
from worker.encoding.output_rate import output_rate
from worker.encoding.source_info import SourceInfo, SourceRefused
from worker.ingest.keyframe_intervals import KeyframeIntervals
from worker.ingest.sources import read_source_info
from worker.issues.judge import Judge
from worker.issues.observation import Delivery, Observation, PlayedSource, Trouble
from worker.issues.tracker import IssueTracker
from worker.media.messages import Kind, MessageReader, decode_packet
from worker.processes.module_process import python_argv
from worker.receiving.request import ReceiveRequest, Transport
from worker.transcoding.copying_run import CopyingRun
from worker.transcoding.encoding_run import EncodingRun
from worker.transcoding.plan import EncodedRendition, TranscodePlan, Work
from worker.transcoding.repairs import RunRepairs

LADDER = Rendition(name="tiny", width=128, height=72, video_bps=400_000, audio_bps=96_000)
STEP_S = 1.0
BITRATE_S = 5.0
# A refused source stays refused for so long, before the next one comes.
REFUSED_S = 15
RECEIVER_S_MAX = 60


@dataclass
class Span:
    """When an issue opened and closed, in seconds of the media; None while it is open."""

    opened_s: float
    closed_s: float | None = None
    issue: IngestIssue | None = None


@dataclass
class _Playing:
    """A connection, and what came by it."""

    number: int
    source: SourceInfo
    run: EncodingRun | CopyingRun
    repairs: RunRepairs
    rate: float
    is_copied: bool
    began_s: float
    keyframes: KeyframeIntervals = field(default_factory=KeyframeIntervals)
    bytes_at: list[tuple[float, int]] = field(default_factory=list)

    def observation(self, now_s: float) -> Observation:
        source, counts = self.source, self.repairs.counts()
        self.bytes_at = [(at_s, size) for at_s, size in self.bytes_at if at_s > now_s - BITRATE_S]
        is_measured = now_s - self.began_s >= BITRATE_S
        size = self.run.size or (source.width, source.height)
        bits = 8 * sum(size for _, size in self.bytes_at)
        return Observation(
            now_ms=round(now_s * 1000),
            run=self.number,
            repairs=Repairs(**counts),
            is_copied=self.is_copied,
            speed=1.0,
            pictures_per_s=self.rate,
            playing="primary",
            troubles=(),
            published_fault="",
            ladder_bps=None if self.is_copied else LADDER.bitrate_bps,
            delivery=Delivery(store_error="", upload_share=0.1),
            source=PlayedSource(
                name="primary",
                connection=self.number,
                width=size[0],
                height=size[1],
                is_interlaced=source.is_interlaced,
                rotation=source.rotation,
                has_audio=source.has_audio,
                pictures_per_s=float(source.rate) if source.rate else None,
                bitrate_bps=int(bits / BITRATE_S) if is_measured else None,
                keyframe_interval_s=self.keyframes.longest_s,
                moves=self.run.activity.take()["moves"] if isinstance(self.run, EncodingRun) else None,
            ),
        )


class MediaTry:
    """A try of one input in a directory of its own."""

    def __init__(self, item: IssueInput, work: Path) -> None:
        self.spans: dict[IssueType, Span] = {}
        self.reopened: list[IssueType] = []
        self.now_s = 0.0
        self._item = item
        self._work = work
        self._judge = Judge()
        self._tracker = IssueTracker("s", lambda: round(self.now_s * 1000))
        self._number = 0

    def run(self) -> dict[IssueType, Span]:
        """Play all connections."""
        for number, connection in enumerate(self._item.connections):
            directory = self._work / str(number)
            directory.mkdir(parents=True)
            for line in connection.make:
                run_line(self._item.name, line, directory)
            self._play(connection, directory / connection.entry)
        return self.spans

    def _play(self, connection: Connection, entry: Path) -> None:
        self._number += 1
        playing: _Playing | None = None
        first_us, began_s = None, self.now_s
        with receiver(entry) as pipe:
            reader = MessageReader()
            while data := pipe.read1(CHUNK_BYTES):  # type: ignore[attr-defined]
                for kind, body, _ in reader.feed(data):
                    if kind is Kind.TRACKS:
                        try:
                            playing = self._describe(connection, entry, json.loads(body), playing)
                        except SourceRefused as refused:
                            self._wait(str(refused))
                            return
                    elif kind is Kind.PACKET and playing:
                        packet = decode_packet(body)
                        first_us = packet.dts_us if first_us is None else first_us
                        at_s = began_s + (packet.dts_us - first_us) / 1e6
                        while at_s >= self.now_s + STEP_S:
                            self._step(playing)
                        playing.keyframes.add(body)
                        playing.bytes_at.append((at_s, len(body)))
                        playing.run.packet(packet, at_s)
                        playing.run.advance(at_s)
                    elif kind is Kind.NOTE and playing:
                        playing.repairs.timestamp_jumps += 1
        assert playing, "no picture came"
        self._step(playing)
        playing.run.close()

    def _describe(
        self, connection: Connection, entry: Path, described: dict[str, object], before: _Playing | None
    ) -> _Playing:
        source = read_source_info(described, "the source", entry)
        if before is None:
            stream = Stream(stream_id="s", title="t", ingest=FILE, abr_profile="source" if connection.copies else "sd")
            segmentation = plan_copy(source, stream, os.environ)
            out = output_rate(source.rate, FPS_MAX_DEFAULT, is_interlaced=source.is_interlaced)
            name = f"r{self._number}"
            plan = TranscodePlan(
                work=Work.COPY if segmentation else Work.ENCODE,
                renditions=[EncodedRendition(name="source") if segmentation else EncodedRendition(**vars(LADDER))],
                directory=self._work / name,
                name=name,
                segment_s=2,
                cut_s=2.0,
                offset_s=0.0,
                rate=out.rate,
                fields=out.fields,
            )
            (plan.directory / plan.renditions[0].name).mkdir(parents=True)
            repairs = RunRepairs()
            run = CopyingRun(plan, repairs) if segmentation else EncodingRun(plan, repairs)
            before = _Playing(
                self._number, source, run, repairs, float(plan.rate), segmentation is not None, self.now_s
            )
        before.source = source
        before.run.tracks(described)
        return before

    def _wait(self, reason: str) -> None:
        trouble = Trouble(source="primary", kind="refused", reason=reason)
        for _ in range(REFUSED_S):
            self._look(Observation(troubles=(trouble,)))

    def _step(self, playing: _Playing) -> None:
        self._look(playing.observation(self.now_s + STEP_S))

    def _look(self, seen: Observation) -> None:
        self.now_s += STEP_S
        verdicts = self._judge.verdicts(self.now_s, seen, self._tracker.issues)
        for issue in self._tracker.update(self.now_s, verdicts):
            if issue.closed_at_ms is not None:
                self.spans[issue.type].closed_s = self.now_s
            elif issue.type not in self.spans:
                self.spans[issue.type] = Span(self.now_s, issue=issue)
            elif self.spans[issue.type].closed_s is not None:
                self.spans[issue.type].closed_s = None
                self.reopened.append(issue.type)


@contextmanager
def receiver(entry: Path) -> Iterator[IO[bytes]]:
    """Run the worker's receiver, without its pace, and yield its output."""
    request = ReceiveRequest(transport=Transport.FILE, url=f"file:{entry}", formats=FILE_FORMATS, is_live=False)
    if entry.suffix == ".ts":
        request = replace(request, transport=Transport.URL, formats="mpegts")
    argv = python_argv("tests.media.unpaced")
    with entry.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    assert process.stdin and process.stdout
    try:
        process.stdin.write(request.to_json())
        process.stdin.close()
        yield process.stdout
    finally:
        process.kill()
        process.wait(RECEIVER_S_MAX)
        process.stdout.close()
