from fractions import Fraction
from typing import Any

import pytest

from tests.unit.worker.clips import gray
from worker.transcoding.clock_face import COLUMNS, ROWS, draw_clock
from worker.transcoding.picture_former import BT601, BT709, MATRICES, PictureFormat, PictureFormer, fit_size
from worker.transcoding.plan import EncodedRendition

HD, SD, SQUARE = (1280, 720), (854, 480), Fraction(1)
BLACK, WHITE, DARK = 16, 235, 32
# The clock's in a picture of 360 lines.
BLOCK = 6


SHAPES = [
    *(((1920, 1080), SQUARE, HD, (1280, 720)), ((640, 360), SQUARE, HD, (1280, 720))),
    # PAL: 4:3 and 16:9 by its pixels.
    *(((720, 576), Fraction(16, 15), HD, (960, 720)), ((720, 576), Fraction(64, 45), HD, (1280, 720))),
    ((720, 480), Fraction(8, 9), SD, (640, 480)),
    # Upright, very wide, very high.
    *(((1080, 1920), SQUARE, HD, (404, 720)), ((3840, 800), SQUARE, HD, (1280, 266))),
    *(((16, 4096), SQUARE, HD, (2, 720)), ((4096, 16), SQUARE, HD, (1280, 4))),
    # Pixels that claim to be 255 times as wide as high.
    *((HD, Fraction(255), HD, (1280, 240)), (HD, Fraction(1, 255), HD, (6, 720))),
    # Odd sizes.
    *(((1279, 719), SQUARE, HD, (1280, 720)), ((853, 480), SQUARE, SD, (852, 480))),
]


@pytest.mark.parametrize(("size", "aspect", "box", "expected"), SHAPES)
def test_a_picture_keeps_its_shape(size, aspect, box, expected) -> None:
    found = fit_size(*size, aspect, *box)
    assert found == expected
    assert all(side % 2 == 0 and 2 <= side <= most for side, most in zip(found, box, strict=True))


def picture(width: int, height: int, luma: int, form: str = "yuv420p") -> Any:
    """Return a picture of one gray whose upper left quarter is white."""
    frame = gray(luma, (width, height), form=form)
    paint(frame, WHITE, width // 2, height // 2)
    return frame


def paint(frame: Any, luma: int, width: int, height: int) -> None:
    rows, stride = memoryview(frame.planes[0]), frame.planes[0].line_size
    for y in range(height):
        rows[y * stride : y * stride + width] = bytes([luma]) * width


def at(frame: Any, x: float, y: float) -> int:
    """Return the brightness at a place, given as shares of width and height."""
    plane = frame.planes[0]
    return memoryview(plane)[int(y * (frame.height - 1)) * plane.line_size + int(x * (frame.width - 1))]


def formed(frame: Any, aspect: Fraction = Fraction(1), rotation: int = 0, *boxes: tuple[int, int]) -> list[Any]:
    former = PictureFormer([EncodedRendition(name=f"{w}", width=w, height=h) for w, h in boxes])
    picture_format = PictureFormat.of_frame(frame, aspect, rotation=rotation)
    ((at_us, pictures),) = former.form(frame, 40_000, picture_format)
    assert at_us == 40_000 and former.picture_format == picture_format
    return pictures


@pytest.mark.parametrize(
    ("rotation", "corner"), [(0, (0.25, 0.25)), (90, (0.25, 0.75)), (180, (0.75, 0.75)), (270, (0.75, 0.25))]
)
def test_a_picture_is_turned_counter_clockwise(rotation: int, corner: tuple[float, float]) -> None:
    size = (160, 320) if rotation in (90, 270) else (320, 160)
    (upright,) = formed(picture(320, 160, 100), Fraction(1), rotation, size)
    bright = [place for place in ((x, y) for x in (0.25, 0.75) for y in (0.25, 0.75)) if at(upright, *place) > 200]
    assert bright == [corner] and (upright.width, upright.height) == size


@pytest.mark.parametrize(("rotation", "shown"), [(0, (320, 80)), (90, (46, 180))])
def test_wide_pixels_stay_wide_when_the_picture_is_turned(rotation: int, shown: tuple[int, int]) -> None:
    """A picture of 160x80 whose pixels are two by one is shown four by one; turned, one by four."""
    (made,) = formed(picture(160, 80, 100), Fraction(2), rotation, (320, 180))
    luma, stride = bytes(made.planes[0]), made.planes[0].line_size
    row, column = luma[90 * stride : 90 * stride + 320], luma[160 : 180 * stride : stride]
    across, down = (sum(value > BLACK + 20 for value in line) for line in (row, column))
    assert (across, down) == (pytest.approx(shown[0], abs=2), pytest.approx(shown[1], abs=2))


MATRICES_SAID = [
    # What is not said is read as players do.
    *(((720, 576), 2, BT601), ((1024, 576), 2, BT601), (HD, 2, BT709), ((720, 578), 2, BT709)),
    # BT.2020 is made one that every player knows.
    *(((720, 576), 1, BT709), (HD, 5, BT601), (HD, 9, BT709)),
]


@pytest.mark.parametrize(("size", "said", "matrix"), MATRICES_SAID)
def test_all_renditions_keep_the_source_s_colours_and_say_which_these_are(size, said, matrix) -> None:
    frame = picture(*size, 100)
    frame.colorspace = said
    made = formed(frame, Fraction(1), 0, (640, 360), size)
    assert [MATRICES.get(int(each.colorspace), BT709) for each in made] == [MATRICES.get(matrix, BT709)] * 2


def test_colours_stay_when_the_matrix_changes_in_the_middle_of_a_run() -> None:
    former = PictureFormer([EncodedRendition(name="a", width=320, height=180)])
    made = []
    for said in (BT709, BT601):
        frame = picture(320, 180, 100)
        frame.colorspace = said
        frame.planes[2].update(bytes([200]) * frame.planes[2].buffer_size)
        ((_, pictures),) = former.form(frame, 0, PictureFormat.of_frame(frame, Fraction(1)))
        made.append((int(pictures[0].colorspace), at(pictures[0], 0.8, 0.8)))
    # By the matrices of H.273: what is red is darker in BT.709 than in BT.601.
    assert made == [(BT709, 100), (BT709, pytest.approx(85, abs=2))]


def drawn(text: str) -> tuple[list[str], int]:
    """Return the rows of blocks of the clock in a picture of 640x360, and how many pixels are not of the picture."""
    frame = gray(DARK, (640, 360))
    draw_clock(frame, text)
    luma, columns = bytes(frame.planes[0]), len(text) * COLUMNS + 1
    starts = [(270 + row * BLOCK) * 640 + (640 - columns * BLOCK) // 4 * 2 for row in range(ROWS + 2)]
    words = {WHITE: "#", BLACK: "."}
    rows = ["".join(words[luma[start + column * BLOCK]] for column in range(columns)) for start in starts]
    return rows, len(luma) - luma.count(DARK)


def test_the_clock_is_digits_in_a_black_box() -> None:
    rows, changed = drawn("17:04")
    assert rows == [
        ".....................",
        "..#..###.....###.#.#.",
        ".##....#..#..#.#.#.#.",
        "..#....#.....#.#.###.",
        "..#....#..#..#.#...#.",
        ".###...#.....###...#.",
        ".....................",
    ]
    assert changed == len(rows) * len(rows[0]) * BLOCK**2
    # Every digit is another one.
    assert len({tuple(drawn(character)[0]) for character in "0123456789:"}) == 11
    # A picture without room has no clock.
    for size in ((16, 360), (640, 16), (40, 24)):
        frame = picture(*size, DARK)
        before = [bytes(plane) for plane in frame.planes]
        draw_clock(frame, "17:04:59")
        assert [bytes(plane) for plane in frame.planes] == before
