"""The pictures that ffmpeg makes by itself: the test pattern, and the slate."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from chalicelib.domain.ladders import Rendition

# What the slate is encoded with where the ladder copies its source.
WIDTH, HEIGHT, VIDEO_BPS, AUDIO_BPS = 1280, 720, 1_000_000, 96_000
SLATE_TEXT = "We will be right back"


def encodable(renditions: Sequence[Rendition]) -> Sequence[Rendition]:
    """The same ladder, with figures where it copies: under its name something has to be shown when there is nothing."""
    figures = {"width": WIDTH, "height": HEIGHT, "video_bps": VIDEO_BPS, "audio_bps": AUDIO_BPS}
    return [Rendition(name=each.name, **figures) if each.copied else each for each in renditions]


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
    return f"{largest.width}x{largest.height}"
