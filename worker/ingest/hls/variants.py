"""Choose one variant of a multivariant playlist: pure functions.

libavformat opens every variant before the first picture. With 14 variants on a slow server that takes a minute, so the
proxy passes on the one variant that the stream's ladder can use best.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from chalicelib.domain.streams.ladders import Rendition
from worker.ingest.hls.tags import attributes, number, tag_name, to_body, to_lines
from worker.media.pictures import PIXELS_MAX

STREAM_INF, MEDIA = "#EXT-X-STREAM-INF", "#EXT-X-MEDIA"
KEPT = ("#EXTM3U", "#EXT-X-VERSION", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-DEFINE")
# Prefixes of names in CODECS. Dolby Vision is left out: without its metadata the colours are wrong.
H264, HEVC = ("avc1", "avc3"), ("hvc1", "hev1")
PICTURES = (*H264, *HEVC, "av01", "vp09", "mp4v", "mp2v")
SOUNDS = ("mp4a", "ac-3", "ec-3", "opus", "flac", "mp3")
# Encoders make pictures of whole macroblocks: 1080 lines are often listed as 1088.
MACROBLOCK_PIXELS = 16
_LEADS_ON = re.compile(r'(?<=[:,])(?:SUBTITLES|VIDEO|CLOSED-CAPTIONS)=(?:"[^"]*"|[^,]*),?')
_RESOLUTION = re.compile(r"([0-9]{1,5})[xX]([0-9]{1,5})")


@dataclass(frozen=True, kw_only=True)
class VariantLimits:
    """What a ladder can use. `copied`: the picture is published as it is, so H.264 is best, and then HEVC."""

    pixels_max: int = PIXELS_MAX
    bitrate_max_bps: int = 1 << 60
    copied: bool = False


@dataclass(frozen=True)
class Variant:
    """One EXT-X-STREAM-INF and its URI. `pixels` and `bandwidth_bps` are 0 where they are not known."""

    line: str
    uri: str
    pixels: int
    bandwidth_bps: int
    codecs: tuple[str, ...]
    is_hdr: bool
    audio_group: str


class Fitness(IntEnum):
    """How well a variant's codecs suit the ladder; higher is better."""

    UNUSABLE = 0
    HDR = 1
    USABLE = 2
    UNKNOWN = 3
    COPYABLE = 4
    # Every player has a decoder.
    PLAYABLE = 5


def limits_of(renditions: Sequence[Rendition]) -> VariantLimits:
    """Return what this ladder can use."""
    sized = [(each.width, each.height) for each in renditions if each.width and each.height]
    if not sized:
        return VariantLimits(copied=True)
    return VariantLimits(
        pixels_max=max(_whole(width) * _whole(height) for width, height in sized),
        bitrate_max_bps=max(each.bitrate_bps or 0 for each in renditions),
    )


@dataclass(frozen=True)
class ChosenVariant:
    """A multivariant playlist reduced to one variant, that variant's URI, and how many there were."""

    body: bytes
    uri: str
    count: int


def best_variant(body: bytes, limits: VariantLimits, is_avoided: Callable[[str], bool]) -> ChosenVariant | None:
    """Return the best variant among those that are not avoided, or among all; None for a media playlist."""
    lines = to_lines(body)
    variants = _variants(lines)
    if not variants:
        return None
    best = max(variants, key=lambda each: (not is_avoided(each.uri), _rank(each, limits)))
    kept = [line for line in lines if tag_name(line) in KEPT]
    sound = _audio_rendition(lines, best.audio_group)
    only = to_body([*kept, *sound, _LEADS_ON.sub("", best.line).rstrip(","), best.uri])
    return ChosenVariant(only, best.uri, len(variants))


def _variants(lines: Iterable[str]) -> list[Variant]:
    found, pending = [], ""
    for line in lines:
        if tag_name(line) == STREAM_INF:
            pending = line
        elif pending and line.strip() and not line.startswith("#"):
            found.append(_variant(pending, line.strip()))
            pending = ""
    return found


def _variant(line: str, uri: str) -> Variant:
    given = attributes(line)
    size = _RESOLUTION.match(given.get("RESOLUTION", ""))
    return Variant(
        line=line,
        uri=uri,
        pixels=int(size[1]) * int(size[2]) if size else 0,
        bandwidth_bps=number(given.get("BANDWIDTH", "")),
        codecs=tuple(name.strip().lower() for name in given.get("CODECS", "").split(",") if name.strip()),
        is_hdr=given.get("VIDEO-RANGE", "SDR") != "SDR",
        audio_group=given.get("AUDIO", ""),
    )


def _rank(variant: Variant, limits: VariantLimits) -> tuple[int, ...]:
    """Return a sort key: codecs, then whether it fits, then size. The largest that fits is best, else the smallest."""
    size, size_max = variant.pixels, limits.pixels_max
    if not size:
        size, size_max = variant.bandwidth_bps, limits.bitrate_max_bps
    fits = size <= size_max
    return (
        _fitness(variant, limits),
        # Among variants with a size, those without one are sound alone.
        variant.pixels > 0,
        fits,
        size if fits else -size,
        any(codec.startswith(H264) for codec in variant.codecs),
        variant.bandwidth_bps,
    )


def _fitness(variant: Variant, limits: VariantLimits) -> Fitness:
    pictures = [codec for codec in variant.codecs if codec.startswith(PICTURES)]
    usable = all(codec.startswith((*PICTURES, *SOUNDS)) for codec in variant.codecs)
    if variant.codecs and (not usable or not (pictures or variant.pixels)):
        return Fitness.UNUSABLE
    if variant.is_hdr:
        return Fitness.HDR
    if not limits.copied:
        return Fitness.USABLE
    if not pictures:
        return Fitness.UNKNOWN
    if pictures[0].startswith(H264):
        return Fitness.PLAYABLE
    return Fitness.COPYABLE if pictures[0].startswith(HEVC) else Fitness.USABLE


def _audio_rendition(lines: Iterable[str], group: str) -> list[str]:
    """Return the line of the group's default rendition; none where the variant names no group."""
    given = [(line, attributes(line)) for line in lines if group and tag_name(line) == MEDIA]
    found = [each for each in given if each[1].get("TYPE") == "AUDIO" and each[1].get("GROUP-ID") == group]
    if not found:
        return []
    best = max(found, key=lambda each: (each[1].get("DEFAULT") == "YES", each[1].get("AUTOSELECT") == "YES"))
    return [best[0]]


def _whole(side: int) -> int:
    return -(-side // MACROBLOCK_PIXELS) * MACROBLOCK_PIXELS
