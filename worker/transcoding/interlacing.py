"""Finding interlaced pictures: most say so, others are found by looking at a few of them now and then.

Where things move, a picture of two fields has combs. They are as strong when its later field is taken from the picture
before, since both are half a picture's time away. Of a progressive picture that makes combs where there were none.
Which field is the later one is not known: it is the one that makes the weaker combs.
"""

from collections.abc import Sequence
from typing import Any

# How many pictures in a row are looked at, and after how many pictures the looks begin.
LOOK_PICTURES = 8
LOOKS_AT = (0, 50, 150)
LOOK_INTERVAL = 1_500
COLUMNS = 48
# A difference of brightness that counts, of 255.
DIFFERENCE = 12
# So many points with combs in all pictures of a look say that enough has moved to tell.
MOVING_MIN = 40
COMBED_MIN = 0.4
# A picture that said that it is interlaced stands for those after it, so that the filters are not replaced each time.
DECLARED_FOR = 250


class InterlaceDetector:
    """Used with every decoded picture, in order."""

    def __init__(self) -> None:
        self._declared_left = 0
        self._is_combed = False
        self._count = 0
        self._size: tuple[int, int] = (0, 0)
        self._before: list[bytes] = []
        self._combs = self._mixed = 0

    def look(self, frame: Any) -> bool:
        """Return whether this picture has to be deinterlaced."""
        if frame.interlaced_frame:
            self._declared_left = DECLARED_FOR
        elif self._declared_left:
            self._declared_left -= 1
        if (frame.width, frame.height) != self._size:
            self._size, self._count, self._is_combed = (frame.width, frame.height), 0, False
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
            self._combs = self._mixed = 0
            self._before = []
        columns = _columns(frame)
        if self._before:
            combs, mixed = combs_of(columns, self._before)
            self._combs, self._mixed = self._combs + combs, self._mixed + mixed
        self._before = columns
        if number == LOOK_PICTURES - 1 and self._combs + self._mixed >= MOVING_MIN:
            self._is_combed = self._combs >= COMBED_MIN * self._mixed


def combs_of(columns: Sequence[bytes], before: Sequence[bytes]) -> tuple[int, int]:
    """Return how many points have combs where something moves: as it is, and with every other line from `before`.

    These may be the odd or the even lines: it is the fewer points of the two.
    """
    combs = odd = even = 0
    for now, then in zip(columns, before, strict=True):
        for y in range(1, len(now) - 1, 2):
            above, here, below, old = now[y - 1], now[y], now[y + 1], then[y]
            if abs(here - old) < DIFFERENCE and abs(above - then[y - 1]) < DIFFERENCE:
                continue
            combs += _is_comb(above, here, below)
            odd += _is_comb(above, old, below)
            even += _is_comb(then[y - 1], here, then[y + 1])
    return combs, min(odd, even)


def _is_comb(above: int, here: int, below: int) -> bool:
    up, down = here - above, here - below
    return (up > DIFFERENCE and down > DIFFERENCE) or (up < -DIFFERENCE and down < -DIFFERENCE)


def _columns(frame: Any) -> list[bytes]:
    luma = frame.planes[0]
    data, stride = memoryview(luma), luma.line_size
    places = (frame.width * (2 * n + 1) // (2 * COLUMNS) for n in range(COLUMNS))
    return [bytes(data[x : x + stride * frame.height - x : stride]) for x in places]
