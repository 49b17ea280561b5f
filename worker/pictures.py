"""The pictures that ffmpeg makes by itself: the test pattern, and the slate."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from chalicelib.domain.ladders import Rendition

# Where the ladder says nothing of the size.
WIDTH, HEIGHT = 1280, 720
SLATE_TEXT = "We will be right back"


def pattern(renditions: Sequence[Rendition], fps: Fraction, font: Path | None) -> str:
    """Moving colours, with a clock where there is a font."""
    picture = f"testsrc2=size={_size(renditions)}:rate={fps}"
    if font:
        picture += (
            f",drawtext=fontfile={font}:text='%{{gmtime\\:%T}} UTC'"
            ":x=(w-tw)/2:y=h*0.8:fontsize=h/10:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=12"
        )
    return picture


def slate(renditions: Sequence[Rendition], fps: Fraction, font: Path | None) -> str:
    """A plain picture, with words where there is a font."""
    picture = f"color=c=0x202830:size={_size(renditions)}:rate={fps}"
    if font:
        picture += f",drawtext=fontfile={font}:text='{SLATE_TEXT}':x=(w-tw)/2:y=(h-th)/2:fontsize=h/14:fontcolor=white"
    return picture


def _size(renditions: Sequence[Rendition]) -> str:
    largest = max(renditions, key=lambda rendition: rendition.width or 0)
    return f"{largest.width or WIDTH}x{largest.height or HEIGHT}"
