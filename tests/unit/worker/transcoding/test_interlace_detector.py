"""Pictures that are deinterlaced: declared ones, and those with combs in moving parts."""

import random
from collections.abc import Sequence
from typing import Any

import av
import pytest

from worker.transcoding.interlace_detector import (
    DECLARED_FOR,
    DIFFERENCE,
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


def verdict(pictures: Sequence[Picture]) -> bool:
    detector = InterlaceDetector()
    return [detector.look(each) for each in pictures][-1]  # type: ignore[arg-type]


COMB = bytes([DARK, BRIGHT] * 8)


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        # Nothing has moved: lines that differ are what the picture shows.
        (COMB, COMB, (0, 0)),
        # Both fields are elsewhere in the picture before.
        (COMB, bytes([BRIGHT, DARK] * 8), (7, 0)),
        # As a whole it has moved, and only with the other picture's lines it has combs.
        (bytes([DARK] * 16), bytes([BRIGHT] * 16), (0, 7)),
        (bytes([DARK] * 16), bytes([DARK + DIFFERENCE - 1] * 16), (0, 0)),
        # A slope is no comb.
        (bytes(range(0, 240, 15)), bytes([0] * 16), (0, 6)),
    ],
)
def test_combs_are_counted_where_something_moves(now: bytes, before: bytes, expected: tuple[int, int]) -> None:
    for count in (1, 3):
        found = combs_of([now] * count, [before] * count)
        assert (found.here, found.mixed) == (count * expected[0], count * expected[1])


@pytest.mark.parametrize(("top_first", "is_combed"), [(None, False), (True, True), (False, True)])
def test_what_does_not_say_that_it_is_interlaced_is_found(top_first: bool | None, is_combed: bool) -> None:
    pictures = [picture(number, top_first=top_first) for number in range(LOOK_PICTURES)]
    assert not verdict(pictures[:-1])
    assert verdict(pictures) is is_combed


def test_noise_has_combs_and_is_not_interlaced() -> None:
    chance = random.Random(1)
    assert not verdict([Picture([chance.randbytes(WIDTH) for _ in range(HEIGHT)]) for _ in range(LOOK_PICTURES)])


def test_one_look_among_others_does_not_overturn_what_these_found() -> None:
    detector = InterlaceDetector()
    combed = [picture(number, top_first=True) for number in range(150 + LOOK_PICTURES)]
    assert [detector.look(each) for each in combed][-1]  # type: ignore[arg-type]
    # Slow, so that there is less to be seen than there was before.
    plain = [picture(number, speed=2) for number in range(LOOK_INTERVAL)]
    assert all(detector.look(each) for each in plain)  # type: ignore[arg-type]


def test_a_picture_that_stands_still_changes_no_verdict() -> None:
    detector = InterlaceDetector()
    moving = [picture(number, top_first=True) for number in range(LOOK_PICTURES)]
    still = [moving[-1]] * (LOOK_INTERVAL + LOOK_PICTURES)
    assert [detector.look(each) for each in (*moving, *still)][-1]  # type: ignore[arg-type]
    assert not verdict([moving[0]] * LOOK_PICTURES)


def test_the_verdict_is_taken_again_now_and_then_and_for_another_size() -> None:
    detector = InterlaceDetector()
    combed = [picture(number, top_first=True) for number in range(LOOK_PICTURES)]
    plain = [picture(number) for number in range(50 + LOOK_PICTURES)]
    assert [detector.look(each) for each in combed][-1]  # type: ignore[arg-type]
    after = [detector.look(each) for each in plain]  # type: ignore[arg-type]
    # The second look begins with the fiftieth picture.
    assert after.index(False) == 50 - 1
    assert [detector.look(each) for each in combed][-1] is False  # type: ignore[arg-type]
    other = [bytes([DARK] * 32)] * 32
    assert detector.look(Picture(other)) is False  # type: ignore[arg-type]
    assert [detector.look(each) for each in combed][-1] is True  # type: ignore[arg-type]


def test_a_declared_picture_counts_for_those_after_it() -> None:
    detector = InterlaceDetector()
    first, plain = picture(0, declared=True), picture(0)
    found = [detector.look(each) for each in (first, *[plain] * (DECLARED_FOR + 1))]  # type: ignore[arg-type]
    assert found == [True] * DECLARED_FOR + [False, False]


def test_other_forms_than_bytes_are_taken_at_their_word() -> None:
    deep = [picture(number, top_first=True, pixel_format="yuv420p10le") for number in range(LOOK_PICTURES)]
    assert not verdict(deep)
    assert verdict([picture(0, declared=True, pixel_format="yuv420p10le")])
