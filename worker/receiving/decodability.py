"""Whether the pictures of a recording can be decoded, by what their description says."""

from collections.abc import Mapping
from typing import Any

from av.error import FFmpegError

from worker.media.messages import PacketMessage
from worker.media.pictures import PALETTE, new_decoder, packet_of

# Codecs of which every decoder can begin at a keyframe: these are not tried, which saves time.
ALWAYS_DECODED = ("h264", "hevc")
# So many packets without a picture: behind a keyframe, and before one.
UNDECODED_MAX, AWAITED_MAX = 25, 300


class Undecodable(Exception):
    """No picture can be decoded; the message has the reason for the operator."""


class DecodingTest:
    """A test of the first packets. It ends with the first picture."""

    def __init__(self) -> None:
        self.is_over = False
        self._codec: Any = None
        self._seen = 0
        self._error = "no picture comes out of it"

    def look(self, track: Mapping[str, Any], packet: PacketMessage) -> None:
        """Try to decode a packet of the described track. Raise `Undecodable`."""
        self.is_over = self.is_over or track["codec"] in ALWAYS_DECODED
        if self.is_over:
            return
        self._seen += 1
        if self._codec is None and not packet.is_keyframe:
            if self._seen > AWAITED_MAX:
                raise Undecodable(f"the {track['codec']} video has no keyframe within its first {AWAITED_MAX} pictures")
            return
        try:
            if self._codec is None:
                self._codec, self._seen = new_decoder(track), 1
            self.is_over = bool(self._codec.decode(packet_of(packet, track[PALETTE])))
        except (FFmpegError, ValueError) as error:
            self._error = str(getattr(error, "strerror", None) or error)
        if not self.is_over and self._seen >= UNDECODED_MAX:
            raise Undecodable(f"the {track['codec']} video cannot be decoded: {self._error}")
