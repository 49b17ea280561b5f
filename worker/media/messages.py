"""Messages from a receiver to the worker, and from the worker to a transcoder: tracks, packets and notes.

A container format (MPEG-TS was tried) cannot carry every codec, cannot gain a track later, and its muxer changes time
stamps. Each message is a kind (1 byte), a length (4 bytes) and a body. Times are microseconds on one time line that
never runs backwards by more than a reordered packet.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Any

_HEADER = struct.Struct(">BI")
_PACKET = struct.Struct(">BBqqIII")
# A raw picture of 4096x2304 with 8 bytes a pixel, with room.
BODY_BYTES_MAX = 80 << 20
DATA_BYTES_MAX = BODY_BYTES_MAX - (1 << 10)
VIDEO, AUDIO = 0, 1
_KEYFRAME, _NO_PTS = 1, 2
# The unit of all times.
MICRO = Fraction(1, 1_000_000)


class WireError(ValueError):
    """The bytes are not messages of this format."""


class Kind(IntEnum):
    """The kind of a message."""

    TRACKS = 1
    PACKET = 2
    NOTE = 3
    # From a receiver: sound has come for ten seconds, and no picture.
    SOUND_ALONE = 4
    # From a receiver that reads at the pace of the clock: the next packet is there, and its time has not come.
    HELD = 5


@dataclass(frozen=True, slots=True)
class PacketMessage:
    """One coded packet. `pts_us` is None where the source does not say when it is shown.

    `skip_samples` and `drop_samples` are cut from the beginning and the end of its sound.
    """

    stream: int
    pts_us: int | None
    dts_us: int
    duration_us: int
    data: bytes
    is_keyframe: bool = False
    skip_samples: int = 0
    drop_samples: int = 0


def encode_packet(packet: PacketMessage) -> bytes:
    """Return the message of one packet."""
    flags = _KEYFRAME * packet.is_keyframe | _NO_PTS * (packet.pts_us is None)
    times = (packet.pts_us or 0, packet.dts_us, min(max(packet.duration_us, 0), 2**32 - 1))
    head = _PACKET.pack(packet.stream, flags, *times, packet.skip_samples, packet.drop_samples)
    return b"".join((_HEADER.pack(Kind.PACKET, len(head) + len(packet.data)), head, packet.data))


def encode_json(kind: Kind, values: Mapping[str, Any]) -> bytes:
    """Return the message of tracks or a note."""
    body = json.dumps(values, separators=(",", ":")).encode()
    return _HEADER.pack(kind, len(body)) + body


def decode_packet(body: bytes) -> PacketMessage:
    """Return the packet of a message's body. Raise `WireError` if it is cut short."""
    try:
        stream, flags, pts_us, dts_us, duration_us, skip, drop = _PACKET.unpack_from(body)
    except struct.error as error:
        raise WireError(str(error)) from None
    data = body[_PACKET.size :]
    shown_us = None if flags & _NO_PTS else pts_us
    return PacketMessage(stream, shown_us, dts_us, duration_us, data, bool(flags & _KEYFRAME), skip, drop)


def decoded_at_us(body: bytes) -> int:
    """Return when a packet's body is decoded. Raise `WireError` if it is cut short."""
    try:
        return int(_PACKET.unpack_from(body)[3])
    except struct.error as error:
        raise WireError(str(error)) from None


def is_video_keyframe(body: bytes) -> bool:
    """Return whether a packet's body is a picture that a decoder can begin with."""
    return len(body) > 1 and body[0] == VIDEO and bool(body[1] & _KEYFRAME)


class MessageReader:
    """A reader that splits a stream of bytes into messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes, bytes]]:
        """Yield each complete message: its kind, its body, and all of its bytes. Raise `WireError`."""
        self._bytes += data
        at = 0
        while len(self._bytes) - at >= _HEADER.size:
            number, length = _HEADER.unpack_from(self._bytes, at)
            if length > BODY_BYTES_MAX or number not in Kind._value2member_map_:
                raise WireError(f"a message of kind {number} with {length} bytes")
            end = at + _HEADER.size + length
            if len(self._bytes) < end:
                break
            whole = bytes(self._bytes[at:end])
            at = end
            yield Kind(number), whole[_HEADER.size :], whole
        del self._bytes[:at]
