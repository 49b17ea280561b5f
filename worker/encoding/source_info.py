"""What a source was found to be, and how it can be played."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from chalicelib.domain.streams.media_health import SourceTrack
from worker.transcoding.plan import Work


@dataclass(frozen=True, kw_only=True)
class SourceInfo:
    """A source's properties. `rate` is its frame rate, if known; codecs have FFmpeg's names, None without a track.

    `rotation` is in degrees counter-clockwise; `width` and `height` are those of the picture before it is turned.
    `work` is what a run does with the source where the ladder encodes. `path` is that of a file.
    """

    rate: Fraction | None
    width: int | None = None
    height: int | None = None
    is_interlaced: bool = False
    has_audio: bool = True
    video_codec: str | None = None
    audio_codec: str | None = None
    rotation: int = 0
    tracks: tuple[SourceTrack, ...] = ()
    work: Work = Work.ENCODE
    path: Path | None = None


# The test pattern, which needs nothing to be opened.
PATTERN = SourceInfo(rate=Fraction(30), work=Work.PATTERN)
SLATE_SOURCE = SourceInfo(rate=Fraction(15), work=Work.SLATE)


class SourceRefused(Exception):
    """The source cannot be used as it is. The message gives the operator the reason."""
