"""Detects interlaced pictures: most are declared, others are found by analysing a few of them now and then.

Where things move, a picture of two fields has combs. They are as strong when its later field is taken from the last
picture, since both are half a picture's time away. In a progressive picture that makes combs where there were none.
Which field is the later one is not known: it is the one that makes the weaker combs.

Noise and fine patterns have combs as well, but within each of their fields too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# How many pictures in a row are analysed, and after how many pictures that begins.
LOOK_PICTURES = 8
LOOKS_AT = (0, 50, 150)
LOOK_INTERVAL = 1_500
COLUMNS = 48
# A difference of brightness that counts, of 255.
DIFFERENCE = 12
# The least points with combs in all analysed pictures: with fewer, too little has moved to decide.
MOVING_MIN = 40
COMBED_MIN = 0.4
# Measured: 2.8 or more of moving shapes in two fields, 1.2 or less of progressive noise, fractals and cells.
COMBS_PER_FINE_MIN = 1.5
# An earlier result counts half as much with each further one.
EARLIER_SHARE = 0.5
# One declared picture counts for those after it, so that the filters are not replaced each time.
DECLARED_FOR = 250


@dataclass(frozen=True)
class Combs:
    """The number of points with combs where something moves.

    `here`: in the picture as it is; `mixed`: with every other line from the last picture, the odd or the even ones,
    where these are fewer; `fine`: within one field.
    """

    here: float = 0
    mixed: float = 0
    fine: float = 0

    def plus(self, other: "Combs", share: float = 1) -> "Combs":
        """Return these and a share of the others."""
        return Combs(self.here + share * other.here, self.mixed + share * other.mixed, self.fine + share * other.fine)

    @property
    def are_of_fields(self) -> bool:
        """Return whether two fields make them."""
        return self.here >= COMBED_MIN * self.mixed and self.here >= COMBS_PER_FINE_MIN * self.fine


class InterlaceDetector:
    """A detector that is fed with every decoded picture, in order."""

    def __init__(self) -> None:
        self._declared_left = 0
        self._is_combed = False
        self._count = 0
        self._size: tuple[int, int] = (0, 0)
        self._before: list[bytes] = []
        self._found = self._combs = Combs()

    def look(self, frame: Any) -> bool:
        """Return whether this picture has to be deinterlaced."""
        if frame.interlaced_frame:
            self._declared_left = DECLARED_FOR
        elif self._declared_left:
            self._declared_left -= 1
        if (frame.width, frame.height) != self._size:
            self._size, self._count, self._is_combed = (frame.width, frame.height), 0, False
            self._found = Combs()
        if not self._declared_left and frame.format.components[0].bits == 8:
            self._examine(frame, self._number_in_look())
        self._count += 1
        return bool(self._declared_left) or self._is_combed

    def _number_in_look(self) -> int:
        since = [self._count - start for start in (*LOOKS_AT, self._count // LOOK_INTERVAL * LOOK_INTERVAL)]
        return min(number for number in since if number >= 0)

    def _examine(self, frame: Any, number: int) -> None:
        if number >= LOOK_PICTURES:
            return
        if number == 0:
            self._combs, self._before = Combs(), []
        columns = _columns(frame)
        if self._before:
            self._combs = self._combs.plus(combs_of(columns, self._before))
        self._before = columns
        if number == LOOK_PICTURES - 1 and self._combs.here + self._combs.mixed >= MOVING_MIN:
            self._found = self._combs.plus(self._found, EARLIER_SHARE)
            self._is_combed = self._found.are_of_fields


def combs_of(columns: Sequence[bytes], before: Sequence[bytes]) -> Combs:
    """Return the combs of a picture's columns, where `before` are those of the last picture."""
    combs = odd = even = fine = 0
    for now, then in zip(columns, before, strict=True):
        for y in range(1, len(now) - 1, 2):
            above, here, below, old = now[y - 1], now[y], now[y + 1], then[y]
            if abs(here - old) < DIFFERENCE and abs(above - then[y - 1]) < DIFFERENCE:
                continue
            combs += _is_comb(above, here, below)
            odd += _is_comb(above, old, below)
            even += _is_comb(then[y - 1], here, then[y + 1])
            if 1 < y < len(now) - 2:
                fine += _is_comb(now[y - 2], here, now[y + 2])
    return Combs(combs, min(odd, even), fine)


def _is_comb(above: int, here: int, below: int) -> bool:
    up, down = here - above, here - below
    return (up > DIFFERENCE and down > DIFFERENCE) or (up < -DIFFERENCE and down < -DIFFERENCE)


def _columns(frame: Any) -> list[bytes]:
    luma = frame.planes[0]
    data, stride = memoryview(luma), luma.line_size
    places = (frame.width * (2 * n + 1) // (2 * COLUMNS) for n in range(COLUMNS))
    return [bytes(data[x : x + stride * frame.height - x : stride]) for x in places]
