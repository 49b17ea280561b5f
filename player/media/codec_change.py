"""A source's picture may change its codec, and mpv opens its decoder once: so it is given the stream in two parts.

The first part ends before the first segment of the other codec. mpv plays it to its end, opens the stream again, and is
given the second part.
"""

import threading

PACKET_BYTES = 188
SYNC, PMT_TABLE = 0x47, 0x02
# H.264 and HEVC, by their stream types.
PICTURE_TYPES = {0x1B, 0x24}
# So many packets are looked at for the table that says what the tracks are.
PACKETS_MAX = 16
SEGMENT_TAGS = (b"#EXTINF:", b"#EXT-X-DISCONTINUITY", b"#EXT-X-PROGRAM-DATE-TIME:", b"#EXT-X-BITRATE:", b"#EXT-X-GAP")
MEDIA_SEQUENCE, DISCONTINUITY_SEQUENCE = b"#EXT-X-MEDIA-SEQUENCE:", b"#EXT-X-DISCONTINUITY-SEQUENCE:"
DISCONTINUITY, END = b"#EXT-X-DISCONTINUITY", b"#EXT-X-ENDLIST"


class CodecParts:
    """What mpv is given of a stream whose picture changes its codec. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codec: int | None = None
        # The segments at which this part ends and began, by name.
        self._end: bytes | None = None
        self._begin: bytes | None = None

    @property
    def is_ending(self) -> bool:
        """Return whether mpv comes to the end of a part, and has to open the stream again."""
        return self._end is not None

    def next_part(self) -> None:
        """Begin the next part, or the same one again: mpv opens the stream."""
        with self._lock:
            self._begin, self._end, self._codec = self._end or self._begin, None, None

    def takes(self, path: str, beginning: bytes) -> bool:
        """Return whether a segment, given by its first bytes, belongs to the part that mpv plays."""
        codec = picture_type(beginning)
        with self._lock:
            self._codec = self._codec or codec
            if codec is None or codec == self._codec:
                return True
            self._end = self._end or _name(path.encode())
            return False

    def of_playlist(self, body: bytes) -> bytes:
        """Return what this part has of a media playlist."""
        with self._lock:
            begin, end = self._begin, self._end
        body = since(body, begin) if begin else body
        return until(body, end) if end else body


def picture_type(segment: bytes) -> int | None:
    """Return the stream type of a segment's picture; None where its first packets do not say it."""
    for at in range(0, min(len(segment), PACKETS_MAX * PACKET_BYTES) - PACKET_BYTES + 1, PACKET_BYTES):
        packet = segment[at : at + PACKET_BYTES]
        if packet[0] != SYNC or packet[3] & 0x30 != 0x10 or not packet[1] & 0x40:
            continue
        section = packet[5 + packet[4] :]
        if len(section) > 12 and section[0] == PMT_TABLE:
            return _first_picture(section)
    return None


def until(body: bytes, name: bytes) -> bytes:
    """Return a media playlist that ends before this segment; as it is if it does not name it."""
    lines = body.splitlines()
    at = _index(lines, name)
    return body if at is None else b"\n".join([*lines[:at], END, b""])


def since(body: bytes, name: bytes) -> bytes:
    """Return a media playlist that begins with this segment; as it is if it does not name it."""
    lines = body.splitlines()
    at, first = _index(lines, name), _index(lines, None)
    if at is None or first is None:
        return body
    before = lines[first:at]
    left_out = {
        MEDIA_SEQUENCE: sum(bool(line) and not line.startswith(b"#") for line in before),
        DISCONTINUITY_SEQUENCE: before.count(DISCONTINUITY),
    }
    head = lines[:first]
    for number, line in enumerate(head):
        for tag, count in left_out.items():
            if line.startswith(tag) and line[len(tag) :].isdigit():
                head[number] = tag + str(int(line[len(tag) :]) + count).encode()
    return b"\n".join([*head, *lines[at:], b""])


def _index(lines: list[bytes], name: bytes | None) -> int | None:
    """Return where the lines of a segment begin, of the first one without a name."""
    begin = None
    for number, line in enumerate(lines):
        if line.startswith(SEGMENT_TAGS) and not line.startswith(DISCONTINUITY_SEQUENCE):
            begin = number if begin is None else begin
        elif line and not line.startswith(b"#"):
            if name is None or _name(line) == name:
                return number if begin is None else begin
            begin = None
    return None


def _name(uri: bytes) -> bytes:
    return uri.partition(b"?")[0].rpartition(b"/")[2]


def _first_picture(section: bytes) -> int | None:
    end = min(len(section), 3 + ((section[1] & 0x0F) << 8 | section[2]) - 4)
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at + 5 <= end:
        if section[at] in PICTURE_TYPES:
            return section[at]
        at += 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])
    return None
