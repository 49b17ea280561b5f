"""Parses playlists, and finds violations of RFC 8216 in each.

It does not use the library that writes them, so that errors of the library are found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

# Tags of media playlists that come once, before the first segment.
HEAD_TAGS = (
    "EXT-X-VERSION",
    "EXT-X-TARGETDURATION",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-DISCONTINUITY-SEQUENCE",
    "EXT-X-INDEPENDENT-SEGMENTS",
)
SEGMENT_TAGS = ("EXTINF", "EXT-X-DISCONTINUITY", "EXT-X-PROGRAM-DATE-TIME", "EXT-X-BITRATE", "EXT-X-BYTERANGE")
MULTIVARIANT_TAGS = ("EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-STREAM-INF")
# The lowest version that allows a feature (section 7).
FRACTIONS_SINCE, RANGES_SINCE, VERSION_MAX = 3, 4, 7
ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
WHOLE = re.compile(r"\d{1,20}")
DECIMAL = re.compile(r"\d+(\.\d+)?")


@dataclass
class NamedSegment:
    """A segment of a playlist."""

    uri: str
    number: int
    duration_s: float = 0.0
    discontinuity: bool = False
    at: datetime | None = None
    bitrate_kbps: int | None = None


@dataclass
class MediaPlaylist:
    """A media playlist and its violations."""

    target_s: int = 0
    sequence: int = 0
    discontinuity_sequence: int = 0
    segments: list[NamedSegment] = field(default_factory=list)
    ended: bool = False
    faults: list[str] = field(default_factory=list)

    def discontinuities(self) -> dict[int, int]:
        """Return the discontinuity sequence number of each segment number."""
        counted, found = self.discontinuity_sequence, {}
        for segment in self.segments:
            counted += segment.discontinuity
            found[segment.number] = counted
        return found


@dataclass
class Variant:
    """A variant of a multivariant playlist."""

    uri: str
    attributes: dict[str, str]


@dataclass
class MultivariantPlaylist:
    """A multivariant playlist and its violations."""

    variants: list[Variant] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_media_playlist(text: str) -> MediaPlaylist:
    """Parse and check a media playlist."""
    media, head, pending = MediaPlaylist(), {}, {}
    body = list(_lines(text, media.faults))
    for tag, value in body:
        if media.ended:
            media.faults.append(f"#{tag or value} comes after EXT-X-ENDLIST")
        if tag == "":
            media.segments.append(_segment(value, pending, media.faults))
            pending = {}
        elif tag in HEAD_TAGS:
            if tag in head:
                media.faults.append(f"{tag} is there twice")
            if media.segments or pending:
                media.faults.append(f"{tag} comes after the first segment's tags")
            head[tag] = value
        elif tag in SEGMENT_TAGS:
            if tag in pending:
                media.faults.append(f"{tag} is there twice for one segment")
            pending[tag] = value
        elif tag == "EXT-X-ENDLIST":
            media.ended = True
        else:
            media.faults.append(f"{tag} is not allowed in a media playlist")
    if pending:
        media.faults.append(f"{', '.join(pending)} belong to no segment")
    _read_head(media, head)
    _check_version(head.get("EXT-X-VERSION"), _needed_version(body), media.faults)
    _check_lengths(media)
    _check_dates(media)
    return media


def read_multivariant(text: str) -> MultivariantPlaylist:
    """Parse and check a multivariant playlist."""
    multivariant, attributes, version = MultivariantPlaylist(), None, None
    for tag, value in _lines(text, multivariant.faults):
        if tag not in ("", *MULTIVARIANT_TAGS):
            multivariant.faults.append(f"{tag} is not allowed in a multivariant playlist")
        if tag == "EXT-X-VERSION":
            version = value
        if attributes is not None and tag != "":
            multivariant.faults.append("EXT-X-STREAM-INF is not followed by an address")
        if attributes is None and tag == "":
            multivariant.faults.append(f"{value} comes without EXT-X-STREAM-INF")
        if tag == "" and attributes is not None:
            multivariant.variants.append(Variant(value, attributes))
        attributes = _attributes(value, multivariant.faults) if tag == "EXT-X-STREAM-INF" else None
    _check_version(version, 1, multivariant.faults)
    for variant in multivariant.variants:
        multivariant.faults += [f"{variant.uri}: {fault}" for fault in _attribute_faults(variant.attributes)]
    uris = [variant.uri for variant in multivariant.variants]
    if not uris or len(set(uris)) < len(uris):
        multivariant.faults.append("there is no variant, or one is there twice")
    declared = [variant.attributes.get("BANDWIDTH", "") for variant in multivariant.variants]
    peaks = [int(peak) for peak in declared if WHOLE.fullmatch(peak)]
    if peaks != sorted(peaks, reverse=True):
        multivariant.faults.append("the best variant is not the first one")
    return multivariant


def _lines(text: str, faults: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the tag and the value of each line, or "" and the URI. Comments are skipped."""
    lines = text.split("\n")
    if lines[0] != "#EXTM3U":
        faults.append("the first line is not #EXTM3U")
    for line in lines[1:]:
        if line.startswith("#EXT"):
            tag, _, value = line[1:].partition(":")
            yield tag, value
        elif line and not line.startswith("#"):
            yield "", line


def _segment(uri: str, tags: dict[str, str], faults: list[str]) -> NamedSegment:
    segment = NamedSegment(uri, 0, discontinuity="EXT-X-DISCONTINUITY" in tags)
    duration, comma, _ = tags.get("EXTINF", "").partition(",")
    if not comma or not DECIMAL.fullmatch(duration):
        faults.append(f"{uri} has no EXTINF with a duration and a comma")
    else:
        segment.duration_s = float(duration)
    try:
        if "EXT-X-PROGRAM-DATE-TIME" in tags:
            at = datetime.fromisoformat(tags["EXT-X-PROGRAM-DATE-TIME"])
            segment.at = at if at.tzinfo else None
            if not at.tzinfo:
                faults.append(f"{uri}: its date has no time zone")
        if "EXT-X-BITRATE" in tags:
            segment.bitrate_kbps = int(tags["EXT-X-BITRATE"])
    except ValueError as error:
        faults.append(f"{uri}: {error}")
    return segment


def _read_head(media: MediaPlaylist, head: dict[str, str]) -> None:
    if not WHOLE.fullmatch(head.get("EXT-X-TARGETDURATION", "")):
        media.faults.append("there is no EXT-X-TARGETDURATION of whole seconds")
    for tag in HEAD_TAGS[1:4]:
        if not WHOLE.fullmatch(head.get(tag, "0")):
            media.faults.append(f"{tag} is no whole number")
            head[tag] = "0"
    media.target_s = int(head.get("EXT-X-TARGETDURATION", "0"))
    media.sequence = int(head.get("EXT-X-MEDIA-SEQUENCE", "0"))
    media.discontinuity_sequence = int(head.get("EXT-X-DISCONTINUITY-SEQUENCE", "0"))
    for index, segment in enumerate(media.segments):
        segment.number = media.sequence + index


def _check_lengths(media: MediaPlaylist) -> None:
    for segment in media.segments:
        if int(segment.duration_s + 0.5) > media.target_s:
            media.faults.append(f"{segment.uri} lasts {segment.duration_s} s under a target of {media.target_s} s")
    # Section 6.2.2: removals have to leave three target durations.
    if media.sequence and not media.ended and sum(s.duration_s for s in media.segments) < 3 * media.target_s:
        media.faults.append("segments were removed although less than three target durations are left")


def _check_dates(media: MediaPlaylist) -> None:
    for before, after in zip(media.segments, media.segments[1:], strict=False):
        if before.at and after.at and not after.discontinuity:
            off_s = (after.at - before.at).total_seconds() - before.duration_s
            if abs(off_s) > 0.5:
                media.faults.append(f"{after.uri} is dated {off_s:+.3f} s from the end of the one before")


def _needed_version(body: list[tuple[str, str]]) -> int:
    if any(tag == "EXT-X-BYTERANGE" for tag, _ in body):
        return RANGES_SINCE
    return FRACTIONS_SINCE if any(tag == "EXTINF" and "." in value for tag, value in body) else 1


def _check_version(declared: str | None, needed: int, faults: list[str]) -> None:
    version = int(declared) if declared and WHOLE.fullmatch(declared) else 0 if declared else 1
    if not needed <= version <= VERSION_MAX:
        faults.append(f"EXT-X-VERSION is {declared}, but what is used needs {needed} to {VERSION_MAX}")


def _attributes(value: str, faults: list[str]) -> dict[str, str]:
    found = ATTRIBUTE.findall(value)
    if ",".join(f"{name}={text}" for name, text in found) != value or len({n for n, _ in found}) < len(found):
        faults.append(f"the attributes {value} are no list of names and values, each once")
    return dict(found)


def _attribute_faults(attributes: dict[str, str]) -> list[str]:
    rules = {
        "BANDWIDTH": WHOLE,
        "AVERAGE-BANDWIDTH": WHOLE,
        "RESOLUTION": re.compile(r"\d+x\d+"),
        "FRAME-RATE": re.compile(r"\d+\.\d{3}"),
        "CODECS": re.compile(r'"avc1\.[0-9A-F]{6}(,mp4a\.40\.\d+)?"'),
    }
    faults = [
        f"{name} is {attributes.get(name)}"
        for name, form in rules.items()
        if not form.fullmatch(attributes.get(name, ""))
    ]
    if not faults and int(attributes["AVERAGE-BANDWIDTH"]) > int(attributes["BANDWIDTH"]):
        faults.append("AVERAGE-BANDWIDTH is above BANDWIDTH")
    return faults
