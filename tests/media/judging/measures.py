"""Measurements of published segments: pure functions from packets and the output of ffmpeg to numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.media.judging.picture import FRAME_BYTES, Frame
from tests.media.judging.sound import Level

# A packet is missing, or there twice, if the next is so far from where it should be. One packet may be.
PACKETS_OFF_MAX = 1.5
SILENCE_DB = -120.0
# Sound is measured at this rate, whatever rate it has.
RATE_HZ = 48_000
PRINTED = re.compile(r"^\[Parsed_(a?)metadata_\d+ @ \w+\] (.*)$")
# The band is scaled to this width, and keeps its lines. A few combs are an encoder's noise.
BAND_WIDTH, COMB_DEPTH, COMBS_MAX = 90, 60, 30
# How bright the bar is, and how many columns it moves from one of 60 pictures a second to the next at least.
BAR_BRIGHT_MIN, BAR_STEP_MIN = 128, 0.8


@dataclass(frozen=True)
class Packet:
    """A packet of a segment: its presentation time and how long it lasts, in seconds."""

    at_s: float
    lasts_s: float


@dataclass(frozen=True)
class Probed:
    """The packets of a segment in their order, and the first picture and sound stream; a height of 0 if it has none."""

    sound: tuple[Packet, ...] = ()
    pictures: tuple[Packet, ...] = ()
    width: int = 0
    height: int = 0
    pixel_ratio: float = 1.0
    codecs: tuple[str, ...] = ()

    @property
    def size(self) -> str:
        """Return width and height, as `320x180`."""
        return f"{self.width}x{self.height}"


def span_s(packets: Sequence[Packet]) -> float:
    """Return the time from the first packet's beginning to the last one's end."""
    return packets[-1].at_s + packets[-1].lasts_s - packets[0].at_s if packets else 0.0


def played_s(packets: Sequence[Packet]) -> float:
    """Return how long all packets last when each is played."""
    return sum(packet.lasts_s for packet in packets)


def sound_off_s(segment: Probed, extinf_s: float) -> float:
    """Return by how much the sound is longer or shorter than its segment, by its span or by its packets."""
    return max((span_s(segment.sound) - extinf_s, played_s(segment.sound) - extinf_s), key=abs)


def breaks(segments: Sequence[Sequence[Packet]]) -> list[float]:
    """Return gaps (above 0) and overlaps (below 0) of more than a packet from one segment to the next, in seconds."""
    found = []
    for before, after in pairwise(each for each in segments if each):
        off_s = after[0].at_s - before[-1].at_s - before[-1].lasts_s
        if abs(off_s) > PACKETS_OFF_MAX * before[-1].lasts_s:
            found.append(round(off_s, 3))
    return found


def combed_share(band: bytes, height: int) -> float:
    """Return the share of pictures with combs, of gray copies of the band in which `recipes.moving_bar` moves.

    A comb is a value that differs from those above and below, which are alike. Lines are `BAND_WIDTH` wide.
    """
    size = BAND_WIDTH * height
    pictures = [band[at : at + size] for at in range(0, len(band) - size + 1, size)]
    return sum(_combs(each) > COMBS_MAX for each in pictures) / len(pictures) if pictures else 0.0


def _combs(picture: bytes) -> int:
    lines = zip(picture, picture[BAND_WIDTH:], picture[2 * BAND_WIDTH :], strict=False)
    return sum(
        abs(above - below) < COMB_DEPTH // 2 and min(abs(value - above), abs(value - below)) > COMB_DEPTH
        for above, value, below in lines
    )


def bar_steps(band: bytes, height: int) -> tuple[int, int]:
    """Return how many pictures show the bar of `recipes.moving_bar` further on than the one before, and further back.

    `band` is as for `combed_share`. From the band's end the bar begins again, which is further on.
    """
    size = BAND_WIDTH * height
    places = [_bar_place(band[at : at + size]) for at in range(0, len(band) - size + 1, size)]
    steps = [after - before for before, after in pairwise(places)]
    back = sum(-BAND_WIDTH / 4 < step < -BAR_STEP_MIN for step in steps)
    return sum(abs(step) > BAR_STEP_MIN for step in steps) - back, back


def _bar_place(picture: bytes) -> float:
    """Return the middle of what is bright, as a column."""
    bright = [at % BAND_WIDTH for at, value in enumerate(picture) if value > BAR_BRIGHT_MIN]
    return sum(bright) / len(bright) if bright else 0.0


def decoded(printed: str, pixels: bytes) -> tuple[list[Frame], list[Level]]:
    """Return pictures and levels of sound from what `metadata` and `ametadata` print, and the small copies."""
    times: list[float] = []
    sound: list[dict[str, float]] = []
    for line in printed.splitlines():
        found = PRINTED.match(line)
        if not found:
            continue
        is_sound, output = bool(found[1]), found[2]
        if output.startswith("frame:"):
            at_s = _number(output.rpartition("pts_time:")[2])
            if is_sound:
                sound.append({"at_s": at_s})
            else:
                times.append(at_s)
        elif is_sound and sound:
            name, _, value = output.partition("=")
            sound[-1][name.rpartition(".")[2]] = _number(value)
    copies = [pixels[at : at + FRAME_BYTES] for at in range(0, len(pixels) - FRAME_BYTES + 1, FRAME_BYTES)]
    frames = [Frame(at_s, copy) for at_s, copy in zip(times, copies, strict=False)]
    return frames, [_level(each) for each in sound]


def _level(printed: dict[str, float]) -> Level:
    return Level(
        printed["at_s"], printed.get("RMS_level", SILENCE_DB), RATE_HZ * printed.get("Zero_crossings_rate", 0.0)
    )


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return SILENCE_DB
    return value if value == value and abs(value) != float("inf") else SILENCE_DB
