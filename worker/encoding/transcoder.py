"""The process of one run, which reports its progress on its standard output."""

import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import IO, Any

from chalicelib.domain.streams.media_health import Repairs
from chalicelib.domain.streams.run_logs import NOTES_KEPT
from worker.processes.child import Child, read_lines

ACTIVITY_KEPT = 8
# A run without a new segment for so many target durations counts as dead.
SILENT_TARGETS = 3
# What libavformat says of each copied stream: it looks for parameters in sound, and expects HEVC in the form of Apple.
HARMLESS = (
    "is not supported by the bitstream filter 'extract_extradata'",
    "Stream HEVC is not hvc1, you should use tag:v hvc1 to set it.",
)
REPAIR_NAMES = {field.name for field in fields(Repairs)}


@dataclass(frozen=True)
class Activity:
    """What the source had in one second: audible sound, movement, nothing but black."""

    heard: bool
    moves: bool
    dark: bool


@dataclass(frozen=True)
class Progress:
    """One report. `out_us` is how much media is made, `speed` how fast that was against the clock.

    `source_us` is the source's time at `out_us`, where there is a source, and `size` that of its newest picture, where
    it is decoded.
    """

    out_us: int | None = None
    source_us: int | None = None
    fps: float | None = None
    speed: float | None = None
    repairs: Repairs | None = None
    notes: tuple[str, ...] = ()
    activity: Activity | None = None
    size: tuple[int, int] | None = None

    @property
    def dropped_frames(self) -> int:
        """Return the number of pictures that were too many or came too late."""
        return self.repairs.pictures_dropped if self.repairs else 0


class Transcoder(Child):
    """The process that makes the segments. With `stdin` it reads its source's messages from there."""

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str], *, rate: float, is_copy: bool, stdin: bool
    ) -> None:
        super().__init__("encoder", argv, environ, stdin=stdin, harmless=HARMLESS)
        self.progress = Progress()
        self.progressed_at_s = time.monotonic()
        # What was repaired, in words.
        self.notes: deque[str] = deque(maxlen=NOTES_KEPT)
        # What the source had in the last seconds, where it is decoded.
        self.activity: deque[Activity] = deque(maxlen=ACTIVITY_KEPT)
        self._rate = None if is_copy else rate
        self._start_reader(self._read_progress, self.stdout)

    def _read_progress(self, pipe: IO[bytes]) -> None:
        for line in read_lines(pipe):
            progress = parse_progress(line, self._rate)
            if progress is None:
                continue
            if progress.out_us != self.progress.out_us:
                self.progressed_at_s = time.monotonic()
            self.progress = progress
            self.notes.extend(progress.notes)
            if progress.activity:
                self.activity.append(progress.activity)


def parse_progress(line: str, rate: float | None) -> Progress | None:
    """Return the report in a line; None if it is none. `rate` is the number of pictures a second that it encodes."""
    try:
        values: dict[str, Any] = json.loads(line)
        repairs = {name: values["repairs"][name] for name in REPAIR_NAMES & values["repairs"].keys()}
        speed = float(values["speed"])
        fps = None if rate is None else round(speed * rate, 2)
        notes = tuple(map(str, values["notes"]))
        activity = Activity(**values["activity"]) if values["activity"] else None
        source_us = None if values["source_us"] is None else int(values["source_us"])
        size = (int(values["size"][0]), int(values["size"][1])) if values.get("size") else None
        return Progress(int(values["out_us"]), source_us, fps, speed, Repairs(**repairs), notes, activity, size)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
