"""The tables of an MPEG transport stream: its programmes, their tracks, and when these change.

libavformat's Python binding shows no programmes, and no track that appears after the opening. So the bytes are parsed
here, on their way to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from worker.receiving.ts_packets import synchronized
from worker.receiving.ts_pictures import PACKET_BYTES, PICTURE_TYPES, SYNC, PictureEnds, payload_of

PAT_PID = 0
PAT_TABLE, PMT_TABLE = 0x00, 0x02
LANGUAGE_DESCRIPTOR = 0x0A
SECTION_BYTES_MAX = 1024 + 3
CRC_POLYNOMIAL = 0x04C11DB7


@dataclass(frozen=True)
class ElementaryStream:
    """A track of a programme, by its packet id."""

    pid: int
    stream_type: int
    language: str | None = None


Programs = dict[int, tuple[ElementaryStream, ...]]


class TransportTables:
    """A filter that passes a transport stream on, packet by packet, up to where a known programme changes its tracks.

    `programs` are those whose PMT has come, by number. After a change, `reopen` begins the next part. Pictures whose
    track pauses are ended.
    """

    def __init__(self) -> None:
        self.programs: Programs = {}
        self.has_changed = False
        self._pmt_pids: dict[int, int] = {}
        # Of each table the packets since its section began, and the packets of its last whole section.
        self._open: dict[int, list[bytes]] = {}
        self._whole: dict[int, bytes] = {}
        self._section: dict[int, bytes] = {}
        self._ends = PictureEnds()
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Return the whole packets that can be passed on; those after a change are kept for the next part."""
        data = self._rest + data
        at = start = end = synchronized(data, 0)
        passed = []
        while at + PACKET_BYTES <= len(data) and not self.has_changed:
            if data[at] != SYNC:
                passed.append(data[start:at])
                at = start = end = synchronized(data, at + 1)
                continue
            pid = (data[at + 1] & 0x1F) << 8 | data[at + 2]
            at += PACKET_BYTES
            if pid == PAT_PID or pid in self._pmt_pids:
                self.has_changed = self._take(pid, data[at - PACKET_BYTES : at])
            elif pid in self._ends.pids and (ended := self._ends.look(pid, data[at - PACKET_BYTES : at])):
                passed += [data[start:end], ended]
                start = end
            # A demuxer that reads a table with another track counts that among its tracks.
            end = end if self.has_changed else at
        self._rest = data[at:]
        passed.append(data[start:end])
        return b"".join(passed)

    def reopen(self) -> bytes:
        """Return the tables that the part after a change has to begin with."""
        self.has_changed = False
        pids = [PAT_PID, *self._pmt_pids]
        return b"".join(self._whole.get(pid, b"") for pid in pids)

    def _take(self, pid: int, packet: bytes) -> bool:
        """Take a packet of a table; return whether a known programme has changed with it."""
        if packet[1] & 0x40:
            self._open[pid] = []
        if pid not in self._open:
            return False
        self._open[pid].append(packet)
        section = b"".join(map(payload_of, self._open[pid]))
        # The first byte is the length of another section's end.
        section = section[1 + section[0] :] if section else b""
        if len(section) < 3:
            return False
        length = ((section[1] & 0x0F) << 8 | section[2]) + 3
        if length > SECTION_BYTES_MAX:
            del self._open[pid]
            return False
        if len(section) < length:
            return False
        packets, section = b"".join(self._open.pop(pid)), section[:length]
        # A damaged table would end the part for nothing.
        if section == self._section.get(pid) or crc_of(section):
            return False
        self._section[pid] = section
        section = section[:-4]
        # Bit 0: this is the current table, not the next one.
        if len(section) < 8 or not section[5] & 1:
            return False
        if pid != PAT_PID:
            return self._read_pmt(pid, section, packets)
        self._whole[pid] = packets
        return self._read_pat(section)

    def _read_pat(self, section: bytes) -> bool:
        if section[0] == PAT_TABLE:
            entries = (section[at : at + 4] for at in range(8, len(section) - 3, 4))
            found = {(e[2] & 0x1F) << 8 | e[3]: e[0] << 8 | e[1] for e in entries}
            self._pmt_pids = {pid: number for pid, number in found.items() if number}
            self.programs = {n: tracks for n, tracks in self.programs.items() if n in self._pmt_pids.values()}
        return False

    def _read_pmt(self, pid: int, section: bytes, packets: bytes) -> bool:
        number = self._pmt_pids[pid]
        if section[0] != PMT_TABLE or len(section) < 12 or section[3] << 8 | section[4] != number:
            return False
        tracks, at = [], 12 + ((section[10] & 0x0F) << 8 | section[11])
        while at + 5 <= len(section):
            described = (section[at + 3] & 0x0F) << 8 | section[at + 4]
            language = _language(section[at + 5 : at + 5 + described])
            tracks.append(ElementaryStream((section[at + 1] & 0x1F) << 8 | section[at + 2], section[at], language))
            at += 5 + described
        before = self.programs.get(number)
        if before and _has_picture(before) and not _has_picture(tracks):
            # Some multiplexers leave the picture out for a moment. A source without one would be refused.
            return False
        self._whole[pid], self.programs[number] = packets, tuple(tracks)
        if before != self.programs[number]:
            self._ends.follow((t.pid, t.stream_type) for each in self.programs.values() for t in each)
        return before is not None and {(t.pid, t.stream_type) for t in before} != {
            (t.pid, t.stream_type) for t in tracks
        }


def crc_of(section: bytes) -> int:
    """Return a section's CRC by ISO/IEC 13818-1, annex A: 0 if the section, which ends with its CRC, is undamaged."""
    crc = 0xFFFFFFFF
    for byte in section:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ CRC_POLYNOMIAL if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def _has_picture(tracks: Iterable[ElementaryStream]) -> bool:
    return any(track.stream_type in PICTURE_TYPES for track in tracks)


def _language(descriptors: bytes) -> str | None:
    at = 0
    while at + 2 <= len(descriptors):
        tag, length = descriptors[at], descriptors[at + 1]
        if tag == LANGUAGE_DESCRIPTOR and length >= 3:
            text = descriptors[at + 2 : at + 5].decode("latin-1").strip()
            return text if text.isalpha() else None
        at += 2 + length
    return None
