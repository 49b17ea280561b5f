"""Ends the pictures of an MPEG transport stream whose track pauses.

A picture of unknown length ends where the next one begins, and a parser waits for that beginning too. So libavformat
passes a slide on two slides late. This module repeats the beginning of the picture behind it, with a mark: the demuxer
takes that for the next picture, and `is_end` recognises it.
"""

from collections.abc import Iterable

PACKET_BYTES = 188
SYNC = 0x47
# MPEG-1, MPEG-2, MPEG-4 Part 2, H.264 and HEVC.
PICTURE_TYPES = {0x01, 0x02, 0x10, 0x1B, 0x24}
# After so much sound without a byte of the picture, the picture has ended.
PAUSE_TICKS = 36_000
CLOCK_TICKS = 1 << 33
# A picture's first slice begins within so many bytes, behind an encoder's description of itself.
HEAD_BYTES_MAX = 8_192
PES_START, PES_HEADER_BYTES = b"\x00\x00\x01", 9
# The room in a packet behind its header and an adaptation field of two bytes.
ROOM_BYTES = PACKET_BYTES - 6
END_MARK = b"the end of a picture whose track pauses"


def is_end(data: bytes) -> bool:
    """Return whether a packet is no picture, but the mark that ended one. A parser may leave zeros behind it."""
    return END_MARK in data[-len(END_MARK) - 4 :]


class PictureEnds:
    """A follower of the tracks of a transport stream, packet by packet. `pids` are those of the tracks."""

    def __init__(self) -> None:
        self.pids: set[int] = set()
        self._pictures: dict[int, _Picture] = {}

    def follow(self, tracks: Iterable[tuple[int, int]]) -> None:
        """Follow these tracks, given by packet id and stream type."""
        types = dict(tracks)
        self.pids = set(types)
        self._pictures = {pid: _Picture(pid) for pid, kind in types.items() if kind in PICTURE_TYPES}

    def look(self, pid: int, packet: bytes) -> bytes:
        """Return the packets to insert before this one."""
        picture = self._pictures.get(pid)
        if picture:
            picture.take(packet)
            return b""
        if not packet[1] & 0x40 or (at := shown_at(payload_of(packet))) is None:
            return b""
        return b"".join(each.end_by(pid, at) for each in self._pictures.values())


class _Picture:
    """The last picture of a track."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        # Its beginning; empty after it was ended.
        self._head = b""
        self._counter = 0
        # The first time of each other track since the picture's last bytes.
        self._since: dict[int, int] = {}

    def take(self, packet: bytes) -> None:
        """Take a packet of the track."""
        if not packet[3] & 0x10:
            return
        self._counter = packet[3] & 0x0F
        if self._since:
            self._since.clear()
        if packet[1] & 0x40:
            self._head = payload_of(packet)
        elif 0 < len(self._head) < HEAD_BYTES_MAX:
            self._head += payload_of(packet)

    def end_by(self, pid: int, at: int) -> bytes:
        """Return the packets that end it, if sound of `at` shows that its track pauses."""
        if not self._head:
            return b""
        waited = (at - self._since.setdefault(pid, at)) % CLOCK_TICKS
        if waited > CLOCK_TICKS // 2:
            # The sound's time has jumped back.
            self._since[pid] = at
        elif waited >= PAUSE_TICKS:
            head, self._head = self._head, b""
            return self._ended(head)
        return b""

    def _ended(self, head: bytes) -> bytes:
        header = head[: PES_HEADER_BYTES + int.from_bytes(head[8:9])]
        if not head.startswith(PES_START) or len(head) <= max(len(header), PES_HEADER_BYTES):
            return b""
        body = head[len(header) :] + END_MARK
        # With a length it ends by itself; in one packet with its header the demuxer does not see that.
        length = len(header) - 6 + len(body)
        header = header[:4] + length.to_bytes(2, "big") + header[6:]
        parts = [header, *(body[at : at + ROOM_BYTES] for at in range(0, len(body), ROOM_BYTES))]
        return b"".join(self._packet(part, 0 if number else 0x40) for number, part in enumerate(parts))

    def _packet(self, payload: bytes, begins: int) -> bytes:
        """Return a packet that does not advance the continuity counter, so that the track's next packet does."""
        filler = ROOM_BYTES - len(payload)
        head = [SYNC, begins | self._pid >> 8, self._pid & 0xFF, 0x30 | self._counter, 1 + filler, 0x80]
        return bytes(head) + b"\xff" * filler + payload


def payload_of(packet: bytes) -> bytes:
    """Return a packet's payload."""
    start = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    return packet[start:] if packet[3] & 0x10 else b""


def shown_at(payload: bytes) -> int | None:
    """Return the presentation time at the beginning of a PES packet."""
    if not payload.startswith(PES_START) or len(payload) < PES_HEADER_BYTES + 5 or not payload[7] & 0x80:
        return None
    at = payload[PES_HEADER_BYTES : PES_HEADER_BYTES + 5]
    return (at[0] >> 1 & 0x07) << 30 | at[1] << 22 | at[2] >> 1 << 15 | at[3] << 7 | at[4] >> 1
