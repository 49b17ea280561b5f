"""Puts one input through a receiver and transcoders of the worker, as fast as they go, and judges the segments.

It does what `worker.ingest.source_receiver` and `worker.supervision.driver` do, without a clock: the messages
go through a backlog to a transcoder, and to another one where the format of a copied source changes. Nothing is
published.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.ladders import FPS_MAX_DEFAULT
from chalicelib.domain.streams.stream import Stream
from tests.media.inputs.edits import PACKET
from tests.media.inputs.making import FFMPEG, make
from tests.media.inputs.model import Feed, Input
from tests.media.judging.judge import Result, judge
from tests.media.judging.segments import Segment, named_by
from worker.encoding.copy_segmentation import FILE_FORMATS, plan_copy
from worker.encoding.output_rate import output_rate
from worker.encoding.source_info import SourceInfo, SourceRefused
from worker.encoding.transcoder import HARMLESS
from worker.ingest.backlog import Backlog
from worker.ingest.pull_options import ANY_NAMES, HTTP_FORMATS
from worker.ingest.sources import read_source_info
from worker.media.messages import Kind, MessageReader, decoded_at_us
from worker.processes.limits import limit_argv
from worker.processes.module_process import python_argv
from worker.receiving.request import FLV_FORMAT, ReceiveRequest, Transport
from worker.supervision.driver import RUN_GAP_S
from worker.transcoding.plan import FIRST_SEGMENT, EncodedRendition, TranscodePlan, Work, transcoder_argv

CHUNK_BYTES = 1 << 16
SEGMENT_S = 2
# What is fed beyond what a viewer watches: the last segment is left out, since the end of the feed cuts it off.
MORE_S = 1.0
PROCESS_S_MAX = 120
RUNS_MAX = 4
# A sender by RTMP sends its file in turns.
RTMP_TURNS = 2
FILE = Ingest(mode=IngestMode.FILE, path="a file")


@dataclass
class QuickTry:
    """A run of one input in a separate directory."""

    item: Input
    entry: Path
    work: Path
    refusal: str = ""
    faults: list[str] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    repairs: dict[str, float] = field(default_factory=dict)

    def run(self) -> Result:
        """Feed the input and judge the result."""
        receiver = subprocess.Popen(
            limit_argv(python_argv("tests.media.unpaced")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.work / "receiver.log").open("wb"),
        )
        assert receiver.stdin and receiver.stdout
        try:
            receiver.stdin.write(self._request().to_json())
            receiver.stdin.close()
            self._play(_messages(receiver.stdout))
            receiver.stdout.close()
            receiver.wait(PROCESS_S_MAX)
        except SourceRefused as refused:
            self.refusal = str(refused)
        except subprocess.TimeoutExpired:
            self.faults.append("a process of the worker hung")
        finally:
            receiver.kill()
            receiver.wait()
            receiver.stdout.close()
        if not self.segments and not self.refusal:
            self.refusal = (self.work / "receiver.log").read_text(errors="replace")[-400:].strip()
        result = judge(self.item, self.segments, self.refusal)
        return replace(result, faults=(*result.faults, *self.faults, *self._miscounted()))

    def _play(self, messages: Iterator[tuple[Kind, bytes, bytes]]) -> None:
        """Feed the transcoders until enough has come, or the source ends."""
        backlog, run, source = Backlog(), None, None
        until_us = (self.item.watch_s + MORE_S) * 1_000_000
        is_copied = self.item.profile == "source"
        for kind, body, whole in messages:
            if kind in (Kind.SOUND_ALONE, Kind.HELD):
                continue
            backlog.add(kind, body, whole)
            if kind is Kind.TRACKS:
                source = read_source_info(
                    json.loads(body), "the source", self.entry if self.item.feed is Feed.FILE else None
                )
            if source is None:
                continue
            given, has_changed = backlog.take(one_format=is_copied)
            run = run or _Run(self._plan(source, 0), self.work)
            run.write(given)
            if has_changed:
                self._end(run, is_last=False)
                run = _Run(self._plan(source, run.number + 1), self.work)
                run.write(backlog.begin() + backlog.take(one_format=True)[0])
            if kind is Kind.PACKET and decoded_at_us(body) > until_us:
                break
        if run:
            self._end(run, is_last=True)

    def _end(self, run: "_Run", *, is_last: bool) -> None:
        run.finish()
        self.faults += run.faults()
        self.repairs = run.repairs()
        found = run.segments()
        if is_last and len(found) > 1:
            del found[-1]
        if found and run.number:
            found[0] = replace(found[0], is_discontinuous=True)
        self.segments += found

    def _plan(self, source: SourceInfo, number: int) -> TranscodePlan:
        copied = self.item.profile == "source"
        width, height = self.item.size
        ladder = EncodedRendition(name="tiny", width=width, height=height, video_bps=400_000, audio_bps=96_000)
        stream = Stream(stream_id="s", title="t", ingest=FILE, segment_seconds=SEGMENT_S, abr_profile="source")
        cut = plan_copy(source, stream, os.environ) if copied else None
        fps_max = int(str(self.item.settings.get("fps_max", FPS_MAX_DEFAULT)))
        out = output_rate(source.rate, fps_max, is_interlaced=source.is_interlaced)
        if number >= RUNS_MAX:
            raise SourceRefused(f"the format changed {number} times")
        return TranscodePlan(
            work=Work.COPY if cut else Work.ENCODE,
            renditions=[EncodedRendition(name="source") if cut else ladder],
            directory=self.work / f"r{number}",
            name=f"r{number}",
            segment_s=SEGMENT_S,
            cut_s=cut.every_s if cut else SEGMENT_S * FIRST_SEGMENT,
            offset_s=sum(each.extinf_s for each in self.segments) + RUN_GAP_S if number else 0.0,
            rate=out.rate,
            fields=out.fields,
        )

    def _request(self) -> ReceiveRequest:
        url, item = f"file:{self.entry}", self.item
        match item.feed:
            case Feed.FILE:
                made = ReceiveRequest(
                    transport=Transport.FILE, url=url, formats=FILE_FORMATS, is_live=False, is_looped=True
                )
            case Feed.PULL:
                options = {"protocol_whitelist": "file,crypto", **ANY_NAMES}
                made = ReceiveRequest(
                    transport=Transport.URL, url=url, formats=HTTP_FORMATS, options=options, is_live=False
                )
            case Feed.RTMP:
                made = ReceiveRequest(transport=Transport.URL, url=url, formats=FLV_FORMAT)
            case Feed.SRT:
                made = ReceiveRequest(transport=Transport.URL, url=url, formats="mpegts")
        return replace(made, **item.ingest)

    def _miscounted(self) -> Iterator[str]:
        for name, (least, most) in self.item.expect.repairs.items():
            counted = self.repairs.get(name)
            if counted is None or not least <= counted <= most:
                yield f"{name} is {counted}, should be {least:g} to {most:g}"


class _Run:
    """A transcoder that is fed."""

    def __init__(self, plan: TranscodePlan, work: Path) -> None:
        self.number = int(plan.name[1:])
        self._plan = plan
        self._playlist = plan.directory / plan.renditions[0].name / "index.m3u8"
        self._playlist.parent.mkdir(parents=True)
        self._output, self._log = work / f"{plan.name}.json", work / f"{plan.name}.log"
        with self._output.open("wb") as output, self._log.open("wb") as log:
            self._process = subprocess.Popen(transcoder_argv(plan), stdin=subprocess.PIPE, stdout=output, stderr=log)

    def write(self, data: bytes) -> None:
        assert self._process.stdin
        # The exit status shows that a transcoder has ended.
        with suppress(BrokenPipeError):
            self._process.stdin.write(data)

    def finish(self) -> None:
        try:
            self._process.communicate(timeout=PROCESS_S_MAX)
        finally:
            self._process.kill()
            self._process.wait()

    def faults(self) -> Iterator[str]:
        if self._process.returncode:
            said = self._log.read_text(errors="replace").strip().rpartition("\n")[2]
            yield f"the transcoder ended with {self._process.returncode}: {said}"
        elif self._plan.work is Work.COPY:
            # Operators read the log of a run: where nothing is decoded, nothing is wrong.
            lines = self._log.read_text(errors="replace").splitlines()
            if said := [line for line in lines if not any(part in line for part in HARMLESS)]:
                yield f"the transcoder said: {said[0]}"

    def repairs(self) -> dict[str, float]:
        lines: list[Any] = self._output.read_text().splitlines() or ["{}"]
        return dict(json.loads(lines[-1]).get("repairs", {}))

    def segments(self) -> list[Segment]:
        return named_by(self._playlist) if self._playlist.exists() else []


def _messages(pipe: BinaryIO) -> Iterator[tuple[Kind, bytes, bytes]]:
    """Yield the messages of a receiver."""
    reader = MessageReader()
    while data := pipe.read1(CHUNK_BYTES):
        yield from reader.feed(data)


def tried(item: Input, cache: Path, work: Path) -> Result:
    """Make an input, try it, and delete its files."""
    directory = work / item.name
    directory.mkdir(parents=True)
    try:
        return QuickTry(item, _sent(item, make(item, cache), directory), directory).run()
    finally:
        shutil.rmtree(directory)


def _sent(item: Input, made: Path, work: Path) -> Path:
    """Return the bytes that a sender or a server would send, as one file."""
    entry, sent = made / item.entry, work / f"sent-{item.entry}"
    if item.feed is Feed.RTMP:
        turns = ("-stream_loop", str(RTMP_TURNS - 1), "-i", str(entry), "-c", "copy", "-f", "flv", "pipe:1")
        with sent.open("wb") as out:
            subprocess.run([*FFMPEG, *turns], stdout=out, check=True, timeout=PROCESS_S_MAX)
        return sent
    if item.turns > 1:
        body = entry.read_bytes()
        sent.write_bytes(body[: len(body) // PACKET * PACKET] * item.turns)
        return sent
    return entry
