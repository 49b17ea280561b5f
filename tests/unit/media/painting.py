"""Paints small copies of pictures as `recipes.marks` has them."""

from tests.media.judging import picture
from tests.media.judging.picture import GRID_HEIGHT, GRID_WIDTH, Area, Frame

WHOLE = Area(0, 0, GRID_WIDTH, GRID_HEIGHT)
COLORS = {"red": (250, 5, 5), "lime": (5, 250, 5), "yellow": (250, 250, 5), "blue": (5, 5, 250)}
COLORS |= {"magenta": (250, 5, 250), "white": (250, 250, 250), "black": (0, 0, 0)}


def painted(at_s=0.0, *, second=0, flash=False, badge="white", pulse=False, area: Area = WHOLE) -> Frame:
    pixels = bytearray(b"\x46" * picture.FRAME_BYTES)
    across, down = area.right - area.left, area.bottom - area.top

    def box(x: float, y: float, width: float, height: float, color: str) -> None:
        for row in range(area.top + int(y * down), area.top + round((y + height) * down)):
            for column in range(area.left + int(x * across), area.left + round((x + width) * across)):
                at = (row * GRID_WIDTH + column) * 3
                pixels[at : at + 3] = bytes(COLORS[color])

    for place, color in zip(((0, 0), (7 / 8, 0), (7 / 8, 7 / 8), (0, 7 / 8)), picture.CORNERS, strict=True):
        box(*place, 1 / 8, 1 / 8, color)
    box(1 / 16, 3 / 8, 1 / 8, 1 / 4, badge)
    box(13 / 16, 3 / 8, 1 / 8, 1 / 4, "white" if pulse else "black")
    box(3 / 8, 1 / 4, 1 / 4, 1 / 4, "white" if flash else "black")
    for bit in range(picture.CLOCK_BITS):
        box((4 + bit) / 16, 9 / 16, 1 / 16, 1 / 8, "white" if second >> bit & 1 else "black")
    for at in range(0, picture.FRAME_BYTES, 3):
        row, column = divmod(at // 3, GRID_WIDTH)
        if not (area.left <= column < area.right and area.top <= row < area.bottom):
            pixels[at : at + 3] = b"\0\0\0"
    return Frame(at_s, bytes(pixels))
