"""Decoders of pictures, made from the description of a track alone."""

import base64
import io
from collections.abc import Mapping
from functools import cache
from typing import Any

import av

from worker.media.messages import MICRO, PacketMessage

# The largest picture that is decoded: somewhat more than the largest rendition.
PIXELS_MAX = 4_096 * 2_304
TAG_CHARS = 4
# What a decoder has to know before the first packet. Decoders of raw and lossless pictures guess none of it.
FORMAT = ("decoder", "extradata", "tag", "pix_fmt", "bits")
PALETTE = "palette"


def new_decoder(track: Mapping[str, Any]) -> Any:
    """Return a decoder of a described picture track."""
    codec = av.CodecContext.create(track["decoder"], "r")
    # A few bits can encode a picture that takes seconds and gigabytes, at any time.
    codec.options = {"max_pixels": str(PIXELS_MAX)}
    codec.extradata = base64.b64decode(track["extradata"]) or None
    codec.width, codec.height = track["width"], track["height"]
    if track["pix_fmt"]:
        codec.pix_fmt = track["pix_fmt"]
    if track["bits"]:
        codec.bits_per_coded_sample = track["bits"]
    if track["tag"]:
        codec.codec_tag = track["tag"]
    return codec


def tag_of(codec: Any) -> str:
    """Return the four characters by which a container names its codec; empty where they are no characters."""
    try:
        tag = str(codec.codec_tag)
    except UnicodeDecodeError:
        return ""
    return tag if len(tag) == TAG_CHARS and tag.strip("\0") else ""


def palette_of(packet: Any) -> str:
    """Return the palette that begins with a packet, in base64; empty without one."""
    return base64.b64encode(bytes(packet.get_sidedata("palette"))).decode() if packet.has_sidedata("palette") else ""


def packet_of(message: PacketMessage, palette: str = "") -> Any:
    """Return the packet of a message, with the palette that is in force."""
    packet = av.Packet(message.data)
    packet.time_base = MICRO
    packet.pts, packet.dts = message.pts_us, message.dts_us
    packet.is_keyframe = message.is_keyframe
    if palette:
        side_data = _empty_palette()
        side_data.update(base64.b64decode(palette))
        packet.set_sidedata(side_data)
    return packet


@cache
def _empty_palette() -> Any:
    """Return a palette to write to. The library makes none, so it is read from a file of one picture."""
    file = io.BytesIO()
    with av.open(file, "w", "avi") as made:
        stream: Any = made.add_stream("rawvideo", rate=1)
        stream.width = stream.height = 4
        stream.pix_fmt = "pal8"
        made.mux(stream.encode(av.VideoFrame(4, 4, "pal8")))
        made.mux(stream.encode(None))
    with av.open(io.BytesIO(file.getvalue()), "r") as read:
        return next(packet.get_sidedata("palette") for packet in read.demux() if packet.has_sidedata("palette"))
