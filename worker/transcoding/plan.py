"""The plan of one run, from the worker to its transcoder: JSON as an argument, since nothing in it is secret."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from worker.processes.limits import ENCODING, limit_argv
from worker.processes.module_process import python_argv

SAMPLE_RATE = 48_000
# Sound between the parts of a run is stereo of 16 bits.
BYTES_PER_SAMPLE = 4
# The exit status of a run whose source stood still and was silent for as long as the plan allows.
EXIT_FROZEN = 5
# The length of an encoded run's first segment, of a whole one: after a failure the picture is back sooner.
FIRST_SEGMENT = 0.75
# The length of the muxer's playlist: the worker may be that far behind before it loses segments.
LIST_SIZE = 30
# Time stamps of MPEG-TS are 33 bits of a 90 kHz clock. Larger offsets would only wrap.
TIMESTAMP_WRAP_S = 2**33 / 90_000


class Work(StrEnum):
    """The kind of a run: encode a source, copy its packets, generate a picture, or wait until a source moves."""

    ENCODE = "encode"
    COPY = "copy"
    PATTERN = "pattern"
    SLATE = "slate"
    WATCH = "watch"


@dataclass(frozen=True, kw_only=True)
class EncodedRendition:
    """One quality of the ladder. Sizes are even pixels, bitrates bits a second; zeros where the source is copied."""

    name: str
    width: int = 0
    height: int = 0
    video_bps: int = 0
    audio_bps: int = 0


@dataclass(frozen=True, kw_only=True)
class TranscodePlan:
    """One run. `name` begins every segment's name; `offset_s` is the start of its media clock.

    `cut_s` is after how long a segment ends at the next keyframe. `rate` counts pictures a second; with `fields` each
    field of an interlaced picture becomes one. `begins_us` is the time of its first picture in the source: pictures
    before it are only decoded.
    """

    work: Work
    renditions: Sequence[EncodedRendition]
    directory: Path
    name: str
    segment_s: float
    cut_s: float
    offset_s: float
    rate: Fraction
    fields: bool = False
    frozen_after_s: int = 0
    begins_us: int | None = None

    @property
    def picture_bytes(self) -> int:
        """Return the memory of one picture in all renditions, at 12 bits a pixel."""
        return sum(each.width * each.height * 3 // 2 for each in self.renditions)

    @property
    def keyframe_interval(self) -> int:
        """Return the most pictures between keyframes; forced keyframes are closer."""
        return 2 * math.ceil(self.rate * Fraction(self.segment_s))

    def is_keyframe(self, number: int) -> bool:
        """Return whether a segment begins with this picture of the run, counted from 0."""
        return self._segment(number) != self._segment(number - 1) if number else True

    def _segment(self, number: int) -> int:
        """Return the number of a picture's segment, where the first segment is shorter."""
        at_s = float(number / self.rate) + 1e-6
        return math.floor(at_s / self.segment_s + (1 - FIRST_SEGMENT))

    def to_json(self) -> str:
        """Return the JSON."""
        values = asdict(self) | {"directory": str(self.directory), "rate": str(self.rate)}
        return json.dumps(values | {"renditions": [asdict(each) for each in self.renditions]})

    @staticmethod
    def from_json(text: str) -> "TranscodePlan":
        """Return the plan in this JSON."""
        values = json.loads(text)
        return TranscodePlan(
            **values
            | {
                "work": Work(values["work"]),
                "renditions": [EncodedRendition(**each) for each in values["renditions"]],
                "directory": Path(values["directory"]),
                "rate": Fraction(values["rate"]),
            }
        )


def watching_argv() -> list[str]:
    """Return the argument list of a process that ends once its source moves."""
    plan = TranscodePlan(
        work=Work.WATCH, renditions=(), directory=Path(), name="", segment_s=0, cut_s=0, offset_s=0, rate=Fraction(1)
    )
    return transcoder_argv(plan)


def transcoder_argv(plan: TranscodePlan) -> list[str]:
    """Return the argument list of a run."""
    return limit_argv([*python_argv("worker.transcoding"), plan.to_json()], space=ENCODING)
