"""Text of any script on a terminal: unsafe characters removed, measured in cells, cut and wrapped."""

import unicodedata

from wcwidth import iter_graphemes, wcstwidth

# ZWNJ, ZWJ, three direction marks that affect their neighbours only, and Arabic number signs.
JOINERS_AND_MARKS = "\u200c\u200d\u200e\u200f\u061c\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u08e2"


def printable(text: str) -> str:
    """Replace characters that control the terminal or reorder the text after them by spaces.

    Invisible characters that are parts of words and emoji stay, as do those that Python's tables do not know yet.
    """
    return "".join(char if _is_harmless(char) else " " for char in text).strip()


def _is_harmless(char: str) -> bool:
    category = unicodedata.category(char)
    if category == "Cf":
        return char in JOINERS_AND_MARKS or "\U000e0020" <= char <= "\U000e007f"  # tags: the flag of Scotland
    return category == "Cn" or not category.startswith(("C", "Z"))


def isolated(text: str) -> str:
    """Return the text with a mark at its end if it is right-to-left: without it, numbers after it move to its left."""
    is_right_to_left = any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)
    return f"{text}\u200e" if is_right_to_left else text


def cells(text: str) -> int:
    """Return the width of a text: wide characters and most emoji take two cells, combining marks none."""
    return max(0, wcstwidth(text))


def fit(text: str, width: int) -> str:
    """Cut the text to `width` cells, with an ellipsis where it was cut."""
    if cells(text) <= width:
        return text
    head, used = "", 0
    for cluster in iter_graphemes(text):
        used += cells(cluster)
        if used > width - 1:
            break
        head += cluster
    return head + "…" if width > 0 else ""


def wrapped(text: str, width: int) -> list[str]:
    """Return the text in lines of `width` cells, broken between words, or inside a word that is longer than a line.

    There is at least one line, and each takes at least one character.
    """
    lines: list[str] = []
    for word in text.split():
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for cluster in iter_graphemes(word):
            if lines[-1] and cells(lines[-1]) + cells(cluster) > width:
                lines.append("")
            lines[-1] += cluster
    return lines or [""]


def fitted(text: str, width: int) -> list[str]:
    """Return the lines of a text, wrapped between words.

    A line that fits stays as it is, and so does one with a longer word, such as an address that is to be copied.
    """
    lines = []
    for line in text.split("\n"):
        is_kept = cells(line) <= width or any(cells(word) > width for word in line.split())
        lines += [line] if is_kept else wrapped(line, width)
    return lines
