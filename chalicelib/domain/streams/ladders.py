"""Ladders of renditions: the qualities of a stream, best first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

# MPEG-TS headers, on top of the encoders' bitrates.
CONTAINER_OVERHEAD = 1.08
RENDITIONS_MAX = 6
RENDITION_NAME = re.compile(r"[a-z0-9]{1,16}")
WIDTH_MIN, WIDTH_MAX = 64, 3_840
HEIGHT_MIN, HEIGHT_MAX = 36, 2_160
VIDEO_BPS_MIN, VIDEO_BPS_MAX = 100_000, 30_000_000
AUDIO_BPS_MIN, AUDIO_BPS_MAX = 32_000, 320_000
# The highest frame rate, shared by all renditions of a ladder: its bounds and default.
FPS_MAX_MIN, FPS_MAX_MAX, FPS_MAX_DEFAULT = 10, 60, 30


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """One quality of a ladder. Sizes are even pixels, bitrates bits a second; all None if the source is copied.

    Encoded renditions are H.264 and AAC, with a key frame at the start of every segment.
    """

    name: str
    width: int | None = None
    height: int | None = None
    video_bps: int | None = None
    audio_bps: int | None = None

    @property
    def copied(self) -> bool:
        """Whether the source's picture and sound are copied without encoding."""
        return self.width is None

    @property
    def bitrate_bps(self) -> int | None:
        """The peak bitrate with container headers; None if the source determines it."""
        if self.video_bps is None or self.audio_bps is None:
            return None
        return int((self.video_bps + self.audio_bps) * CONTAINER_OVERHEAD)


SOURCE = Rendition(name="source")
CUSTOM_PROFILE = "custom"
_360P = Rendition(name="360p", width=640, height=360, video_bps=700_000, audio_bps=96_000)
_480P = Rendition(name="480p", width=854, height=480, video_bps=1_200_000, audio_bps=96_000)
_720P = Rendition(name="720p", width=1280, height=720, video_bps=2_800_000, audio_bps=128_000)
_1080P = Rendition(name="1080p", width=1920, height=1080, video_bps=5_000_000, audio_bps=128_000)
ABR_PROFILES: dict[str, tuple[Rendition, ...]] = {
    "source": (SOURCE,),
    "sd": (_480P,),
    "hd": (_720P, _480P),
    "full": (_1080P, _720P, _480P, _360P),
}


def ladder_faults(ladder: Sequence[Rendition]) -> list[str]:
    """Return what is wrong with a custom ladder, in words that say what is allowed."""
    faults = [] if 1 <= len(ladder) <= RENDITIONS_MAX else [f"a ladder has 1 to {RENDITIONS_MAX} renditions"]
    names = [rendition.name for rendition in ladder]
    if len(set(names)) < len(names):
        faults.append("the names of the renditions must differ")
    for rendition in ladder:
        faults += [f"{rendition.name}: {fault}" for fault in _rendition_faults(rendition)]
    if not faults and any(_weight(low) >= _weight(high) for high, low in pairwise(ladder)):
        faults.append("renditions must be ordered best first, each with a lower video_bps than the one before")
    return faults


def _weight(rendition: Rendition) -> int:
    return rendition.video_bps or 0


def _rendition_faults(rendition: Rendition) -> list[str]:
    faults = []
    if not RENDITION_NAME.fullmatch(rendition.name) or rendition.name == SOURCE.name:
        faults.append(f"a name must have 1 to 16 lower-case letters and digits, and must not be `{SOURCE.name}`")
    for what, least, most in (
        ("width", WIDTH_MIN, WIDTH_MAX),
        ("height", HEIGHT_MIN, HEIGHT_MAX),
        ("video_bps", VIDEO_BPS_MIN, VIDEO_BPS_MAX),
        ("audio_bps", AUDIO_BPS_MIN, AUDIO_BPS_MAX),
    ):
        value = getattr(rendition, what)
        if value is None or not least <= value <= most:
            faults.append(f"{what} must be from {least} to {most}")
        elif what in ("width", "height") and value % 2:
            faults.append(f"{what} must be even")
    return faults
