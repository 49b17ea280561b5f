"""The ladder of the slate where the stream's own ladder copies its source."""

from collections.abc import Sequence

from chalicelib.domain.streams.ladders import Rendition

WIDTH, HEIGHT, VIDEO_BPS, AUDIO_BPS = 1280, 720, 1_000_000, 96_000


def slate_ladder(renditions: Sequence[Rendition]) -> Sequence[Rendition]:
    """Return the same ladder with sizes and bitrates where it copies: the slate has to be encoded under its name."""
    figures = {"width": WIDTH, "height": HEIGHT, "video_bps": VIDEO_BPS, "audio_bps": AUDIO_BPS}
    return [Rendition(name=each.name, **figures) if each.copied else each for each in renditions]
