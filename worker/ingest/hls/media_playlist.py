"""Parser and writer of a source's media playlists. Pure functions.

`LivePlaylist` decides which segments are written. The output keeps the state that omitted segments set: keys, init
sections, offsets of byte ranges, media sequence numbers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from worker.ingest.errors import EgressRefused
from worker.ingest.hls.tags import attributes, number, tag_name, to_body, to_lines, value

INF, ENDLIST = "#EXTINF", "#EXT-X-ENDLIST"
KEY, MAP, BYTERANGE = "#EXT-X-KEY", "#EXT-X-MAP", "#EXT-X-BYTERANGE"
DISCONTINUITY = "#EXT-X-DISCONTINUITY"
SEQUENCE, DISCONTINUITY_SEQUENCE = "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-DISCONTINUITY-SEQUENCE"
TARGET = "#EXT-X-TARGETDURATION"
# Tags of the whole playlist, at any line.
HEAD = frozenset(
    {"#EXTM3U", "#EXT-X-VERSION", "#EXT-X-PLAYLIST-TYPE", "#EXT-X-I-FRAMES-ONLY", "#EXT-X-INDEPENDENT-SEGMENTS"}
    | {"#EXT-X-START", "#EXT-X-SERVER-CONTROL", "#EXT-X-PART-INF", "#EXT-X-ALLOW-CACHE", "#EXT-X-DEFINE"}
    | {TARGET, SEQUENCE, DISCONTINUITY_SEQUENCE, ENDLIST}
)
# Failover waits for multiples of the target while viewers pay, so the parser lowers larger values. `head` keeps them.
TARGET_S_MAX = 60
DURATION_S_MAX = 600.0
# A playlist names a few DRM systems. All keys in force are written with each segment whose keys change.
KEY_FORMATS_MAX = 8
WRITTEN_CHARS_MAX = 4_000_000
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?")

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Segment:
    """A segment as the source lists it.

    `lines` are its other tags. `keys` are the EXT-X-KEY lines in force. `init` is the EXT-X-MAP line in force, after
    the keys that apply to that init section. `discontinuities` counts the EXT-X-DISCONTINUITY tags before its URI.
    """

    number: int
    uri: str
    duration_s: float
    lines: tuple[str, ...]
    keys: Keys
    init: tuple[Keys, str] | None
    offset: int
    length: int | None
    discontinuities: int
    # Its discontinuity sequence number (RFC 8216, 6.2.1).
    discontinuity_number: int

    @property
    def init_range(self) -> tuple[str, int, int | None] | None:
        """Return the URI, offset and length of its init section; None if it has none."""
        if self.init is None:
            return None
        given = attributes(self.init[1])
        length, _, offset = given.get("BYTERANGE", "").partition("@")
        return given.get("URI", ""), number(offset), number(length) if length else None


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
    """The media sequence number and the discontinuity of a kept segment in the output."""

    number: int
    is_discontinuity: bool
    discontinuity_number: int


def read_media_playlist(body: bytes) -> MediaPlaylist:
    """Parse leniently. Unknown lines stay with the segment after them.

    Raise `EgressRefused` if more keys are in force than a playlist needs.
    """
    lines = to_lines(body)
    head = {tag_name(line): line for line in lines if tag_name(line) in HEAD}
    target_s = float(min(max(number(value(head.get(TARGET, ""))), 1), TARGET_S_MAX))
    reader = _Reader(number(value(head.get(SEQUENCE, ""))), number(value(head.get(DISCONTINUITY_SEQUENCE, ""))))
    for line in lines:
        if line.strip() and tag_name(line) not in HEAD:
            reader.take(line, target_s)
    kept = tuple(line for name, line in head.items() if name not in (SEQUENCE, DISCONTINUITY_SEQUENCE, ENDLIST))
    return MediaPlaylist(kept, tuple(reader.segments), tuple(reader.pending), target_s, ENDLIST in head)


def write_media_playlist(playlist: MediaPlaylist, places: Mapping[int, SegmentPlace]) -> bytes:
    """Return the playlist with the segments whose numbers are in `places`, without all others.

    Raise `EgressRefused` if it would be too long.
    """
    kept = [(segment, places[segment.number]) for segment in playlist.segments if segment.number in places]
    lines = list(playlist.head)
    if kept:
        first = kept[0][1]
        lines.append(f"{SEQUENCE}:{first.number}")
        lines.append(f"{DISCONTINUITY_SEQUENCE}:{first.discontinuity_number - first.is_discontinuity}")
    keys: Keys = ()
    current: tuple[Keys, str] | None = None
    written, counted = 0, 0
    for segment, place in kept:
        written, counted = written + sum(map(len, lines[counted:])), len(lines)
        if written > WRITTEN_CHARS_MAX:
            raise EgressRefused(HTTPStatus.BAD_GATEWAY, "a playlist repeats keys that are too long")
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
    return to_body([*lines, *playlist.tail, *([ENDLIST] if playlist.is_ended else [])])


class _Reader:
    """The state of the parser at one line."""

    def __init__(self, first_number: int, discontinuity_number: int) -> None:
        self.segments: list[Segment] = []
        self.pending: list[str] = []
        self._first_number = first_number
        self._discontinuity_number = discontinuity_number
        self._discontinuities = 0
        self._key_of: dict[str, str] = {}
        # Shared by all segments until the next EXT-X-KEY.
        self._keys: Keys = ()
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
            self._init = (self._keys, line)
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
            self._key_of = {}
        else:
            self._key_of[given.get("KEYFORMAT", "identity")] = line
        if len(self._key_of) > KEY_FORMATS_MAX:
            reason = f"a playlist has keys in more than {KEY_FORMATS_MAX} formats at a time"
            raise EgressRefused(HTTPStatus.BAD_GATEWAY, reason)
        self._keys = tuple(self._key_of.values())

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
                keys=self._keys,
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
    """Return the segment's keys. Add the IV if its number changes: a key without an IV uses the number as the IV."""
    if place.number == segment.number:
        return segment.keys
    return tuple(line if "IV" in attributes(line) else f"{line},IV=0x{segment.number:032x}" for line in segment.keys)
