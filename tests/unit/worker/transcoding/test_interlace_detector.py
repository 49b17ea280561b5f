import random
from collections.abc import Sequence
from typing import Any

import av
import pytest

from worker.transcoding import interlace_detector
from worker.transcoding.interlace_detector import (
    DECLARED_FOR,
    LOOK_INTERVAL,
    LOOK_PICTURES,
    InterlaceDetector,
    combs_of,
)

WIDTH, HEIGHT = 96, 64
DARK, BRIGHT = 40, 200


class Picture:
    """A decoded picture, reduced to what is analysed: `rows` are its lines."""

    def __init__(self, rows: Sequence[bytes], *, declared: bool = False, pixel_format: str = "yuv420p") -> None:
        self.width, self.height, self.interlaced_frame = len(rows[0]), len(rows), declared
        made = av.VideoFrame(self.width, self.height, pixel_format)
        self.format, self.planes = made.format, made.planes
        if pixel_format == "yuv420p":
            line_size = self.planes[0].line_size
            self.planes[0].update(b"".join(row.ljust(line_size, b"\0") for row in rows))


def bar(at: int) -> bytes:
    """Return a line with a bright bar at this column."""
    at %= WIDTH
    line = bytearray([DARK]) * WIDTH
    for x in range(at, at + 24):
        line[x % WIDTH] = BRIGHT
    return bytes(line)


def picture(number: int, *, speed: int = 8, top_first: bool | None = None, **more: Any) -> Picture:
    """Return a picture of a bar that moves; with a field order, its second field is half a picture's time later."""
    rows = []
    for y in range(HEIGHT):
        is_later = top_first is not None and (y % 2 == 1) is top_first
        rows.append(bar(number * speed + is_later * speed // 2))
    return Picture(rows, **more)


def looks(pictures: Sequence[Any], detector: InterlaceDetector | None = None) -> list[bool]:
    detector = detector or InterlaceDetector()
    return [detector.look(each) for each in pictures]


COMB = bytes([DARK, BRIGHT] * 8)


def combs(now: bytes, before: bytes, count: int) -> tuple[float, float]:
    found = combs_of([now] * count, [before] * count)
    return found.here / count, found.mixed / count


@pytest.mark.parametrize("count", [1, 3])
def test_combs_are_counted_where_something_moves(count: int) -> None:
    assert combs(COMB, COMB, count) == (0, 0), "nothing has moved: lines that differ are what the picture shows"
    assert combs(COMB, bytes([BRIGHT, DARK] * 8), count) == (7, 0), "both fields are elsewhere in the picture before"
    # As a whole it has moved, and only with the other picture's lines it has combs.
    assert combs(bytes([DARK] * 16), bytes([BRIGHT] * 16), count) == (0, 7)
    assert combs(bytes([DARK] * 16), bytes([DARK + interlace_detector.DIFFERENCE - 1] * 16), count) == (0, 0)
    assert combs(bytes(range(0, 240, 15)), bytes(16), count) == (0, 6), "a slope is no comb"


COMBED = [picture(number, top_first=True) for number in range(150 + LOOK_PICTURES)]


@pytest.mark.parametrize(("top_first", "is_combed"), [(None, False), (True, True), (False, True)])
def test_what_does_not_say_that_it_is_interlaced_is_found(top_first: bool | None, is_combed: bool) -> None:
    found = looks([picture(number, top_first=top_first) for number in range(LOOK_PICTURES)])
    assert found[-2:] == [False, is_combed]
    # Noise has combs and is not interlaced.
    chance = random.Random(1)
    noise = [Picture([chance.randbytes(WIDTH) for _ in range(HEIGHT)]) for _ in range(LOOK_PICTURES)]
    assert not looks(noise)[-1]


def test_one_look_among_others_does_not_overturn_what_these_found() -> None:
    detector = InterlaceDetector()
    assert looks(COMBED, detector)[-1]
    # Slow, so that there is less to be seen than there was before.
    assert all(looks([picture(number, speed=2) for number in range(LOOK_INTERVAL)], detector))
    # Nor does a picture without movement.
    moving = COMBED[:LOOK_PICTURES]
    assert looks([*moving, *[moving[-1]] * (LOOK_INTERVAL + LOOK_PICTURES)])[-1]
    assert not looks([moving[0]] * LOOK_PICTURES)[-1]


def test_the_verdict_is_taken_again_now_and_then_and_for_another_size() -> None:
    detector, combed = InterlaceDetector(), COMBED[:LOOK_PICTURES]
    assert looks(combed, detector)[-1]
    # The second look begins with the fiftieth picture.
    assert looks([picture(number) for number in range(50 + LOOK_PICTURES)], detector).index(False) == 50 - 1
    assert looks(combed, detector)[-1] is False
    assert looks([Picture([bytes([DARK] * 32)] * 32)], detector) == [False]
    assert looks(combed, detector)[-1] is True


def test_a_declared_picture_counts_for_those_after_it() -> None:
    found = looks([picture(0, declared=True), *[picture(0)] * (DECLARED_FOR + 1)])
    assert found == [True] * DECLARED_FOR + [False, False]
    # Other forms than bytes are taken at their word.
    deep = [picture(number, top_first=True, pixel_format="yuv420p10le") for number in range(LOOK_PICTURES)]
    assert not looks(deep)[-1]
    assert looks([picture(0, declared=True, pixel_format="yuv420p10le")]) == [True]
