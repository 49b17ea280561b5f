"""The packets of a transport stream, which are 188 bytes long, or longer with a time or a checksum of their own."""

from collections.abc import Callable

from worker.receiving.ts_pictures import PACKET_BYTES, SYNC

# M2TS has a time of 4 bytes before each packet, and broadcast links have 16 bytes of parity behind it.
TIMED_BYTES = 192
SIZES = (PACKET_BYTES, TIMED_BYTES, 204)
# So many packets in a row begin with the sync byte.
PACKETS_COMPARED = 5
SEARCHED_BYTES_MAX = 65_536


class PacketReader:
    """A reader of a transport stream that leaves out what its packets have beyond 188 bytes."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        # 0 until it is known.
        self._size = 0
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return some bytes; none at the end."""
        while data := self._read(size):
            if cut := self._cut(data):
                return cut
        rest, self._rest = self._rest, b""
        return rest[:PACKET_BYTES] if self._size else rest

    def _cut(self, data: bytes) -> bytes:
        if self._size == PACKET_BYTES:
            return data
        data, self._rest, at = self._rest + data, b"", 0
        if not self._size:
            at, self._size = find_packets(data)
            if not self._size and len(data) >= SEARCHED_BYTES_MAX:
                self._size = PACKET_BYTES
        if self._size == PACKET_BYTES:
            return data
        passed = []
        while self._size and at + self._size <= len(data):
            if data[at] == SYNC:
                passed.append(data[at : at + PACKET_BYTES])
                at += self._size
            else:
                at = synchronized(data, at + 1, self._size)
        self._rest = data[at:]
        return b"".join(passed)


def find_packets(data: bytes) -> tuple[int, int]:
    """Return the index of the first packet, and how far packets are apart: 0 if that is not known yet."""
    at = -1
    while (at := data.find(SYNC, at + 1)) >= 0:
        for size in SIZES:
            if at + PACKETS_COMPARED * size <= len(data) and _are_packets(data, at, size):
                # The second byte of the times of M2TS may look like a sync byte for some milliseconds.
                is_time = size == TIMED_BYTES and _are_packets(data, at + 3, size)
                return at + 3 * is_time, size
    return 0, 0


def _are_packets(data: bytes, at: int, size: int) -> bool:
    last = at + (PACKETS_COMPARED - 1) * size
    return data[at : last + 1 : size] == bytes([SYNC]) * PACKETS_COMPARED


def synchronized(data: bytes, at: int, size: int = PACKET_BYTES) -> int:
    """Return the index of the next packet: a sync byte that another one follows, if that much data is there."""
    while (at := data.find(SYNC, at)) >= 0:
        if at + size >= len(data) or data[at + size] == SYNC:
            return at
        at += 1
    return len(data)
