"""Packets of two tracks in the order of their times, where a container stores each track in long pieces.

A fragment of MP4, as of HLS, has all its pictures first and all its sound behind them, for as long as a segment lasts.
At the pace of the clock, that sound would come too late.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from worker.receiving.timestamps import LAG_US

# A fragment lasts as long as its segment, which is 10 s at most in nearly all sources.
HELD_US_MAX = 10_000_000
HELD_BYTES_MAX = 16 << 20


@dataclass(frozen=True, slots=True)
class ReadPacket:
    """A packet in the container's order, with its track, its data, and its own decoding time.

    `continues`: it is stored in one piece with its track's last packet.
    """

    track: Any
    packet: Any
    data: bytes
    dts_us: int
    continues: bool


class PieceReader:
    """A detector of packets that are stored in one piece with the packet of their track before them."""

    def __init__(self) -> None:
        self._ends: dict[int, int] = {}

    def continues(self, packet: Any) -> bool:
        """Return whether no byte lies between this packet and its track's last; call it once for each packet.

        Containers that interleave packet by packet, such as MPEG-TS and Matroska, have a header before each.
        """
        begins: int | None = packet.pos
        if begins is None:
            return False
        before = self._ends.get(packet.stream_index)
        self._ends[packet.stream_index] = begins + packet.size
        return before == begins


class Interleaver:
    """A buffer that holds a piece until packets of the other track come, and sends all in the order of decoding times.

    Packets that are not stored in pieces are sent at once.
    """

    def __init__(self, send: Callable[[ReadPacket], None]) -> None:
        self._send = send
        # Packets of one track: the one that is ahead.
        self._held: deque[ReadPacket] = deque()
        self._held_bytes = 0

    def add(self, read: ReadPacket) -> None:
        """Send or hold a packet."""
        if self._held and self._held[0].track is not read.track:
            while self._held and self._held[0].dts_us <= read.dts_us:
                self._release()
            self._send(read)
        elif read.continues:
            self._held.append(read)
            self._held_bytes += len(read.data)
            while self._is_full():
                self._release()
        else:
            # The last piece has ended, and nothing of the other track came behind it.
            self.flush()
            self._send(read)

    def flush(self) -> None:
        """Send all held packets."""
        while self._held:
            self._release()

    def _is_full(self) -> bool:
        lasts_us = self._held[-1].dts_us - self._held[0].dts_us
        return lasts_us > HELD_US_MAX or self._held_bytes > HELD_BYTES_MAX

    def _release(self) -> None:
        read = self._held.popleft()
        self._held_bytes -= len(read.data)
        self._send(read)


def merge_in_order(sound: Sequence[ReadPacket], picture: Sequence[ReadPacket]) -> list[ReadPacket]:
    """Return the first picture with the sound before it in order, since a run begins with the picture.

    A picture that is further behind than tracks may be is shown after that sound.
    """
    at_us = picture[0].dts_us
    earlier = sum(each.dts_us < at_us for each in sound)
    if sound and sound[-1].dts_us - at_us > LAG_US:
        earlier = len(sound)
    return [*sound[:earlier], *picture, *sound[earlier:]]
