"""Pure functions that read the marks of `recipes.marks` from a small copy of each picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.media.inputs.recipes import CLOCK_BITS, CORNERS

# The small copy: wide enough for the marks of an upright picture within a wide one.
GRID_WIDTH, GRID_HEIGHT = 64, 36
FRAME_BYTES = GRID_WIDTH * GRID_HEIGHT * 3
BLACK_MAX, WHITE_MIN, SATURATION_MIN = 28, 100, 50
# Measured of HDR: 0.65 or more of each corner's colour where it was tone-mapped; where it was not, 0.57 or less of one.
VIVID_SHARE = 0.61
# A picture differs from the one before if a value in so many differs by more than noise of an encoder.
DIFFERENT_MIN, NOISE_MAX = 4, 14
STEP = 5
HUES = {
    "red": (1, 0, 0),
    "lime": (0, 1, 0),
    "yellow": (1, 1, 0),
    "blue": (0, 0, 1),
    "magenta": (1, 0, 1),
    "white": None,
}


@dataclass(frozen=True)
class Frame:
    """A picture of the output: when it is shown, in seconds, and its small copy in RGB."""

    at_s: float
    pixels: bytes

    def color(self, x: float, y: float, area: "Area") -> tuple[int, int, int]:
        """Return the colour at a place of the area that is not padding; `x` and `y` are shares of it."""
        column = min(area.right - 1, int(area.left + x * (area.right - area.left)))
        row = min(area.bottom - 1, int(area.top + y * (area.bottom - area.top)))
        at = (row * GRID_WIDTH + column) * 3
        return self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]


@dataclass(frozen=True)
class Area:
    """The picture within the small copy, without black bars."""

    left: int
    top: int
    right: int
    bottom: int


def active_area(frame: Frame) -> Area | None:
    """Return the part without black bars; None for a picture that is black."""
    light = [max(frame.pixels[at : at + 3]) > BLACK_MAX for at in range(0, FRAME_BYTES, 3)]
    rows = [row for row in range(GRID_HEIGHT) if any(light[row * GRID_WIDTH : (row + 1) * GRID_WIDTH])]
    columns = [column for column in range(GRID_WIDTH) if any(light[column::GRID_WIDTH])]
    return Area(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1) if rows and columns else None


def name_of(color: tuple[int, int, int], vivid: bool = False) -> str:
    """Return the name of the nearest mark's colour: `gray` where it has too little colour to have one, or `black`.

    `vivid`: a colour that HDR has paled, since it was not tone-mapped, is `gray` as well.
    """
    high, low = max(color), min(color)
    if high - low < (max(SATURATION_MIN, VIVID_SHARE * high) if vivid else SATURATION_MIN):
        return "white" if low > WHITE_MIN else "black" if high < 60 else "gray"
    bright = tuple(int(value > (high + low) / 2) for value in color)
    return next((name for name, hue in HUES.items() if hue == bright), "other")


def corners(frame: Frame, area: Area, vivid: bool = False) -> tuple[str, ...]:
    """Return the names of the corners' colours, clockwise from the top left."""
    places = ((0.05, 0.05), (0.94, 0.05), (0.94, 0.94), (0.05, 0.94))
    return tuple(name_of(frame.color(x, y, area), vivid) for x, y in places)


def is_upright(frame: Frame, area: Area, vivid: bool = False) -> bool:
    """Return whether the corners are where they were drawn."""
    return corners(frame, area, vivid) == CORNERS


def badge(frame: Frame, area: Area) -> str:
    """Return the colour of the badge, which says which picture this is."""
    return name_of(frame.color(0.125, 0.5, area))


def clock(frame: Frame, area: Area) -> int:
    """Return the second of the input that the picture's clock shows."""
    bits = [sum(frame.color((4.5 + bit) / 16, 0.625, area)) > 384 for bit in range(CLOCK_BITS)]
    return sum(1 << bit for bit, is_set in enumerate(bits) if is_set)


def is_flash(frame: Frame, area: Area) -> bool:
    """Return whether the picture shows the flash."""
    return sum(frame.color(0.5, 0.375, area)) > 384


def differs(one: bytes, other: bytes) -> bool:
    """Return whether two small copies show a movement, not an encoder's noise."""
    sample = zip(one[::STEP], other[::STEP], strict=True)
    return sum(abs(a - b) > NOISE_MAX for a, b in sample) >= DIFFERENT_MIN


def still_s(frames: Sequence[Frame]) -> float:
    """Return the longest time for which no picture differs from the one before, in seconds."""
    longest, since = 0.0, frames[0].at_s if frames else 0.0
    for before, frame in pairwise(frames):
        if differs(before.pixels, frame.pixels):
            since = frame.at_s
        longest = max(longest, frame.at_s - since)
    return longest


def flashes(frames: Sequence[Frame], area: Area) -> list[float]:
    """Return when flashes begin, in seconds."""
    shown = [(frame.at_s, is_flash(frame, area)) for frame in frames]
    return [at_s for (_, before), (at_s, now) in pairwise(shown) if now and not before]
