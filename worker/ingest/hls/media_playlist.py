"""Media playlists: parsed into segments, and written without some of them. Pure functions.

The output keeps what the left-out segments had set: keys, init sections, offsets of byte ranges, numbers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.ingest.hls.tags import attributes, number, tag_name, to_body, to_lines, value

INF, URI_END = "#EXTINF", "#EXT-X-ENDLIST"
KEY, MAP, BYTERANGE = "#EXT-X-KEY", "#EXT-X-MAP", "#EXT-X-BYTERANGE"
DISCONTINUITY = "#EXT-X-DISCONTINUITY"
SEQUENCE, DISCONTINUITY_SEQUENCE = "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-DISCONTINUITY-SEQUENCE"
TARGET = "#EXT-X-TARGETDURATION"
# Tags of the whole playlist, at any line.
HEAD = frozenset(
    {"#EXTM3U", "#EXT-X-VERSION", "#EXT-X-PLAYLIST-TYPE", "#EXT-X-I-FRAMES-ONLY", "#EXT-X-INDEPENDENT-SEGMENTS"}
    | {"#EXT-X-START", "#EXT-X-SERVER-CONTROL", "#EXT-X-PART-INF", "#EXT-X-ALLOW-CACHE", "#EXT-X-DEFINE"}
    | {TARGET, SEQUENCE, DISCONTINUITY_SEQUENCE, URI_END}
)
# A larger value is cut: viewers would pay for as long without a picture.
TARGET_S_MAX = 60
DURATION_S_MAX = 600.0
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?")

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Segment:
    """One segment as it is listed. `keys` are the EXT-X-KEY lines that hold for it, `init` its EXT-X-MAP."""

    number: int
    uri: str
    duration_s: float
    lines: tuple[str, ...]
    keys: Keys
    init: tuple[Keys, str] | None
    offset: int
    length: int | None
    discontinuities: int
    # How many discontinuities there were up to it, as EXT-X-DISCONTINUITY-SEQUENCE counts.
    discontinuity_number: int


@dataclass(frozen=True)
class MediaPlaylist:
    """A parsed media playlist."""

    head: tuple[str, ...]
    segments: tuple[Segment, ...]
    tail: tuple[str, ...]
    target_s: float
    is_ended: bool


@dataclass(frozen=True)
class SegmentPlace:
    """The place of a kept segment in the output."""

    number: int
    is_discontinuity: bool
    discontinuity_number: int


def read_media_playlist(body: bytes) -> MediaPlaylist:
    """Parse leniently. Unknown lines stay with the segment after them."""
    lines = to_lines(body)
    head = {tag_name(line): line for line in lines if tag_name(line) in HEAD}
    target_s = float(min(max(number(value(head.get(TARGET, ""))), 1), TARGET_S_MAX))
    reader = _Reader(number(value(head.get(SEQUENCE, ""))), number(value(head.get(DISCONTINUITY_SEQUENCE, ""))))
    for line in lines:
        if line.strip() and tag_name(line) not in HEAD:
            reader.take(line, target_s)
    kept = tuple(line for name, line in head.items() if name not in (SEQUENCE, DISCONTINUITY_SEQUENCE, URI_END))
    return MediaPlaylist(kept, tuple(reader.segments), tuple(reader.pending), target_s, URI_END in head)


def write_media_playlist(playlist: MediaPlaylist, places: Mapping[int, SegmentPlace]) -> bytes:
    """Return the playlist with the segments that have a place, by their numbers in `playlist`."""
    kept = [(segment, places[segment.number]) for segment in playlist.segments if segment.number in places]
    lines = list(playlist.head)
    if kept:
        first = kept[0][1]
        lines.append(f"{SEQUENCE}:{first.number}")
        lines.append(f"{DISCONTINUITY_SEQUENCE}:{first.discontinuity_number - first.is_discontinuity}")
    keys: Keys = ()
    current: tuple[Keys, str] | None = None
    for segment, place in kept:
        lines += [DISCONTINUITY] if place.is_discontinuity else []
        if segment.init and segment.init != current:
            init_keys, init = current = segment.init
            lines += [*_switch(keys, init_keys), init]
            keys = init_keys
        wanted = _numbered(segment, place)
        lines += _switch(keys, wanted)
        keys = wanted
        if segment.length is not None:
            lines.append(f"{BYTERANGE}:{segment.length}@{segment.offset}")
        lines += [*segment.lines, segment.uri]
    return to_body([*lines, *playlist.tail, *([URI_END] if playlist.is_ended else [])])


class _Reader:
    """The state of the parser at one line."""

    def __init__(self, first_number: int, discontinuity_number: int) -> None:
        self.segments: list[Segment] = []
        self.pending: list[str] = []
        self._first_number = first_number
        self._discontinuity_number = discontinuity_number
        self._discontinuities = 0
        self._keys: dict[str, str] = {}
        self._init: tuple[Keys, str] | None = None
        self._range: tuple[int, int | None] | None = None
        self._duration_s: float | None = None
        # Where the next byte range of a resource begins by default.
        self._ends: dict[str, int] = {}

    def take(self, line: str, target_s: float) -> None:
        name = tag_name(line)
        if name == KEY:
            self._take_key(line)
        elif name == MAP:
            self._init = (tuple(self._keys.values()), line)
        elif name == BYTERANGE:
            length, mark, offset = value(line).partition("@")
            self._range = (number(length), number(offset) if mark else None)
        elif name == DISCONTINUITY:
            self._discontinuities += 1
        elif line.startswith("#"):
            self.pending.append(line)
            if name == INF:
                found = _SECONDS.match(value(line))
                self._duration_s = min(float(found[0]), DURATION_S_MAX) if found else target_s
        elif self._duration_s is not None:
            self._take_segment(line.strip(), self._duration_s)

    def _take_key(self, line: str) -> None:
        given = attributes(line)
        if given.get("METHOD") == "NONE":
            self._keys = {}
        else:
            self._keys[given.get("KEYFORMAT", "identity")] = line

    def _take_segment(self, uri: str, duration_s: float) -> None:
        offset, length = 0, None
        if self._range:
            length, given = self._range
            offset = self._ends.get(uri, 0) if given is None else given
            self._ends[uri] = offset + length
        self._discontinuity_number += self._discontinuities
        self.segments.append(
            Segment(
                number=self._first_number + len(self.segments),
                uri=uri,
                duration_s=duration_s,
                lines=tuple(self.pending),
                keys=tuple(self._keys.values()),
                init=self._init,
                offset=offset,
                length=length,
                discontinuities=self._discontinuities,
                discontinuity_number=self._discontinuity_number,
            )
        )
        self.pending.clear()
        self._discontinuities, self._range, self._duration_s = 0, None, None


def _switch(present: Keys, wanted: Keys) -> Sequence[str]:
    if present == wanted:
        return ()
    return wanted or (f"{KEY}:METHOD=NONE",)


def _numbered(segment: Segment, place: SegmentPlace) -> Keys:
    """Return the keys with the IV written out where the number has changed: without an IV, the number is the IV."""
    if place.number == segment.number:
        return segment.keys
    return tuple(line if "IV" in attributes(line) else f"{line},IV=0x{segment.number:032x}" for line in segment.keys)
