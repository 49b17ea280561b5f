"""Rules of RFC 8216 that need several playlists, or the contents of segments.

One deviation is allowed: a target duration may rise together with a discontinuity.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from tests.hls.probe import SegmentInfo
from tests.hls.text import MediaPlaylist, NamedSegment, Variant, read_media_playlist, read_multivariant

BANDWIDTH_EXCESS_MAX = 1.10
BITRATE_ERROR_MAX = 0.10


@dataclass(frozen=True)
class Snapshot:
    """A stream as it was read: playlists by their URIs in the multivariant playlist, and some segments by
    `<rendition>/<file>`."""

    multivariant: str
    playlists: Mapping[str, str]
    segments: Mapping[str, SegmentInfo]


def faults(snapshot: Snapshot) -> list[str]:
    """Return all violations."""
    multivariant = read_multivariant(snapshot.multivariant)
    found = [f"multivariant: {fault}" for fault in multivariant.faults]
    media: dict[str, MediaPlaylist] = {}
    for variant in multivariant.variants:
        if variant.uri not in snapshot.playlists:
            found.append(f"multivariant: {variant.uri} does not exist")
            continue
        media[variant.uri] = read_media_playlist(snapshot.playlists[variant.uri])
        found += [f"{variant.uri}: {fault}" for fault in media[variant.uri].faults]
        found += _variant_faults(variant, media[variant.uri], snapshot.segments)
    for one, other in pairwise(media):
        found += _alignment_faults(one, media[one], other, media[other], snapshot.segments)
    return found


def history_faults(before: str, after: str) -> list[str]:
    """Return the violations of a media playlist against an earlier reading of it (section 6.2.2)."""
    old, new = read_media_playlist(before), read_media_playlist(after)
    found = []
    if new.sequence < old.sequence:
        found.append(f"the media sequence fell from {old.sequence} to {new.sequence}")
    if new.discontinuity_sequence < old.discontinuity_sequence:
        found.append("the discontinuity sequence fell")
    if new.sequence + len(new.segments) < old.sequence + len(old.segments):
        found.append("segments at the end were removed")
    if old.ended and not new.ended:
        found.append("it continues after EXT-X-ENDLIST")
    uris = {segment.number: segment.uri for segment in old.segments}
    counts, later = old.discontinuities(), new.discontinuities()
    for segment in new.segments:
        if uris.get(segment.number, segment.uri) != segment.uri:
            found.append(f"number {segment.number} was {uris[segment.number]}, is {segment.uri}")
        if counts.get(segment.number, later[segment.number]) != later[segment.number]:
            found.append(f"number {segment.number} has another discontinuity sequence number")
    marked = any(segment.discontinuity for segment in new.segments if segment.number not in uris)
    if new.target_s != old.target_s and not marked:
        found.append(f"the target duration changed from {old.target_s} to {new.target_s} without a discontinuity")
    return found


def peak_bps(media: MediaPlaylist, sizes: Mapping[str, int]) -> float | None:
    """Return the peak segment bit rate (section 4.1) of the segments with known sizes."""
    peak = None
    for first in range(len(media.segments)):
        seconds = bits = 0.0
        for segment in media.segments[first:]:
            if segment.uri not in sizes or seconds + segment.duration_s > 1.5 * media.target_s:
                break
            seconds += segment.duration_s
            bits += 8 * sizes[segment.uri]
            if seconds >= 0.5 * media.target_s:
                peak = max(peak or 0.0, bits / seconds)
    return peak


def _variant_faults(variant: Variant, media: MediaPlaylist, segments: Mapping[str, SegmentInfo]) -> list[str]:
    folder = variant.uri.rpartition("/")[0]
    known = {s.uri: segments[f"{folder}/{s.uri}"] for s in media.segments if f"{folder}/{s.uri}" in segments}
    found = []
    for named in media.segments:
        if named.uri in known:
            found += [f"{folder}/{named.uri}: {fault}" for fault in _segment_faults(variant, named, known[named.uri])]
    peak = peak_bps(media, {uri: one.size for uri, one in known.items()})
    declared = variant.attributes.get("BANDWIDTH", "")
    if peak and declared.isdecimal() and not peak <= int(declared) <= peak * BANDWIDTH_EXCESS_MAX:
        found.append(f"{folder}: BANDWIDTH is {declared}, the peak is {peak:.0f}")
    return found


def _segment_faults(variant: Variant, named: NamedSegment, info: SegmentInfo) -> list[str]:
    declared, found = variant.attributes, []
    if not info.begins_with_keyframe:
        found.append("it does not begin with a keyframe")
    if declared.get("RESOLUTION") != f"{info.width}x{info.height}":
        found.append(f"RESOLUTION is {declared.get('RESOLUTION')}, the picture {info.width}x{info.height}")
    if declared.get("FRAME-RATE") != f"{info.fps:.3f}":
        found.append(f"FRAME-RATE is {declared.get('FRAME-RATE')}, the picture has {info.fps:.3f}")
    if not _codecs_match(declared.get("CODECS", ""), info):
        found.append(f"CODECS are {declared.get('CODECS')}, found {info.profile:02X}..{info.level:02X}, {info.audio}")
    bitrate_bps = 8 * info.size / named.duration_s if named.duration_s else 0
    if named.bitrate_kbps and abs(named.bitrate_kbps * 1000 - bitrate_bps) > BITRATE_ERROR_MAX * bitrate_bps:
        found.append(f"EXT-X-BITRATE is {named.bitrate_kbps}, the segment has {bitrate_bps / 1000:.0f}")
    return found


def _codecs_match(declared: str, info: SegmentInfo) -> bool:
    form = re.fullmatch(r'"avc1\.([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{2})(?:,(.+))?"', declared)
    if not form:
        return False
    profile, constraints, level = (int(form[n], 16) for n in (1, 2, 3))
    named = constraints & info.constraints == info.constraints
    return named and (profile, level, form[4]) == (info.profile, info.level, info.audio)


def _alignment_faults(
    one: str, media: MediaPlaylist, other: str, second: MediaPlaylist, segments: Mapping[str, SegmentInfo]
) -> list[str]:
    """Return the differences of two renditions: the same number is the same presentation time (section 6.2.4)."""
    pair, found = f"{one} and {other}", []
    if media.target_s != second.target_s:
        found.append(f"{pair} have target durations of {media.target_s} and {second.target_s} s")
    mine, theirs = media.discontinuities(), second.discontinuities()
    numbers = {segment.number: segment for segment in second.segments}
    shared = [(segment, numbers[segment.number]) for segment in media.segments if segment.number in numbers]
    if not shared:
        found.append(f"{pair} have no number in common")
    for a, b in shared:
        place = f"{pair} at {a.number}"
        if mine[a.number] != theirs[a.number]:
            found.append(f"{place}: other discontinuity sequence numbers")
        left = segments.get(f"{one.rpartition('/')[0]}/{a.uri}")
        right = segments.get(f"{other.rpartition('/')[0]}/{b.uri}")
        if abs(a.duration_s - b.duration_s) > (1 / left.fps if left else 0.1) + 1e-6:
            found.append(f"{place}: durations {a.duration_s} and {b.duration_s} s")
        if left and right and left.keyframes_s != right.keyframes_s:
            found.append(f"{place}: keyframes at {left.keyframes_s} and {right.keyframes_s}")
    return found
