"""The time of day as a picture: the media libraries of this process have no fonts."""

from typing import Any

# Digits of three by five blocks, a number of three bits a row.
DIGITS = {
    **dict(zip("01234", ("75557", "26227", "71747", "71717", "55711"), strict=True)),
    **dict(zip("56789", ("74717", "74757", "71111", "75757", "75717"), strict=True)),
    ":": "02020",
}
ROWS, COLUMNS = 5, 4
BLACK, WHITE = b"\x10", b"\xeb"
GRAY = b"\x80"


def draw_clock(frame: Any, text: str) -> None:
    """Draw digits and colons into the lower part of a yuv420p picture, which is changed."""
    block = max(2, frame.height // 50 // 2 * 2)
    width, height = (len(text) * COLUMNS + 1) * block, (ROWS + 2) * block
    left, top = (frame.width - width) // 4 * 2, frame.height * 3 // 4 // 2 * 2
    if width > frame.width or top + height > frame.height:
        return
    luma, *colors = frame.planes
    rows = memoryview(luma)
    for line, pixels in enumerate(_lines(text, block)):
        at = (top + line) * luma.line_size + left
        rows[at : at + width] = pixels
    for plane in colors:
        rows = memoryview(plane)
        for line in range(top // 2, (top + height) // 2):
            at = line * plane.line_size + left // 2
            rows[at : at + width // 2] = GRAY * (width // 2)


def _lines(text: str, block: int) -> list[bytes]:
    """Return the picture of a text, line by line, with a margin of one block."""
    margin = BLACK * block
    empty = margin * (len(text) * COLUMNS + 1)
    lines = [empty] * block
    for row in range(ROWS):
        bits = [int(DIGITS[character][row]) for character in text]
        cells = ((WHITE if each & bit else BLACK) * block for each in bits for bit in (4, 2, 1, 0))
        lines += [margin + b"".join(cells)] * block
    return lines + [empty] * block
