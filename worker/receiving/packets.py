"""Packets become messages: one form of each codec, and a new track description where the format changes.

H.264 and HEVC become Annex B, AAC gets ADTS headers. Both carry their parameters inside, so a change in the middle of a
source reaches the decoder with the packet at which it begins.
"""

import base64
import hashlib
import re
from fractions import Fraction
from typing import Any

import av
from av.error import FFmpegError

from worker.media.adts import adts_header, adts_packet
from worker.media.messages import AUDIO, MICRO, VIDEO, PacketMessage
from worker.media.pictures import palette_of, tag_of
from worker.receiving.timestamps import PacketTimes
from worker.receiving.tracks import is_interlaced, rate_of
from worker.receiving.ts_pictures import is_end

ANNEX_B = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
START_CODE = re.compile(rb"\x00\x00\x01")
# The NAL units that describe a picture: the sequence parameters of H.264 and HEVC.
PARAMETERS = {"h264": lambda first: first & 0x1F == 7, "hevc": lambda first: first >> 1 & 0x3F == 33}
PARAMETERS_BYTES_MAX = 4096
# Containers that can declare a rotation.
ROTATING_FORMATS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
# Codecs that a decoder understands from packets and extradata alone. Other sound is decoded here.
PLAIN_SOUND = {"aac", "mp3", "mp2", "mp1", "ac3", "eac3", "opus", "vorbis", "flac", "alac", "dts", "truehd", "aac_latm"}


class VideoTrack:
    """The picture track that is played."""

    number, kind = VIDEO, "video"

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        # Degrees of rotation, counter-clockwise. The container declares them, and a decoder repeats them.
        self.rotation = 0
        self._has_rotation = stream.container.format.name in ROTATING_FORMATS
        codec = stream.codec_context
        self.codec = codec.codec.canonical_name
        self._filter = None
        if self.codec in ANNEX_B and codec.extradata and codec.extradata[0] == 1:
            self._filter = av.BitStreamFilterContext(ANNEX_B[self.codec], stream)
        self._parameters = b""
        self._palette = ""
        self.signature = self.codec if self.codec in PARAMETERS else self._fixed_signature()

    def describe(self) -> dict[str, Any]:
        """Return what a decoder needs to know."""
        codec, rate = self.stream.codec_context, rate_of(self.stream)
        in_band = self.codec in PARAMETERS and (self._filter or not codec.extradata or codec.extradata[0] != 1)
        return {
            "codec": self.codec,
            "decoder": codec.name,
            "extradata": "" if in_band and self._filter else base64.b64encode(codec.extradata or b"").decode(),
            "width": codec.width,
            "height": codec.height,
            "rate": str(rate) if rate else None,
            "is_interlaced": is_interlaced(self.stream),
            "rotation": self.rotation,
            "signature": self.signature,
            **self._format(),
        }

    def convert(self, packet: Any) -> tuple[list[tuple[Any, bytes]], bool]:
        """Return the messages' packets with their data, and whether the format changes with them."""
        if self._has_rotation and packet.is_keyframe:
            self.rotation, self._has_rotation = rotation_of(packet), False
        converted = [(each, bytes(each)) for each in (self._filter.filter(packet) if self._filter else [packet])]
        changed = self._takes_palette(packet)
        converted = [(each, data) for each, data in converted if not is_end(data)]
        for each, data in converted:
            if each.is_keyframe and self.codec in PARAMETERS:
                changed |= self._look(data)
        return converted, changed

    def _format(self) -> dict[str, Any]:
        """Return what the container knows of the pictures. Where they say it themselves, they may change it too."""
        codec, is_said = self.stream.codec_context, self.codec not in PARAMETERS
        return {
            "tag": tag_of(codec) if is_said else "",
            "pix_fmt": codec.pix_fmt if is_said else None,
            "bits": codec.bits_per_coded_sample if is_said else 0,
            "palette": self._palette,
        }

    def _takes_palette(self, packet: Any) -> bool:
        found = palette_of(packet) or self._palette
        before, self._palette = self._palette, found
        return found != before

    def _look(self, data: bytes) -> bool:
        found = parameters(self.codec, data)
        if not found or found == self._parameters:
            return False
        first, self._parameters = not self._parameters, found
        self.signature = f"{self.codec}:{hashlib.sha256(found).hexdigest()[:16]}"
        return not first

    def _fixed_signature(self) -> str:
        codec = self.stream.codec_context
        return f"{self.codec}:{codec.width}x{codec.height}:{hashlib.sha256(codec.extradata or b'').hexdigest()[:16]}"


class AudioTrack:
    """The sound track that is played."""

    number, kind = AUDIO, "audio"

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        codec = stream.codec_context
        self.codec = codec.codec.canonical_name
        self._adts = b""
        if self.codec == "aac" and codec.extradata and len(codec.extradata) >= 2:
            self._adts = adts_header(codec.extradata)
        self._is_plain = self.codec in PLAIN_SOUND
        self._resampler: Any = None
        # Format, layout and rate: of the last decoded frame, and the layout and rate of all that is sent.
        self._form: tuple[str, str, int] | None = None
        self._sent_form: tuple[str, int] | None = None
        self.signature = self._signature(b"")

    def describe(self) -> dict[str, Any]:
        """Return what a decoder needs to know."""
        codec = self.stream.codec_context
        if not self._is_plain:
            layout, rate = self._sent_form or (codec.layout.name, codec.sample_rate)
            return {"codec": "pcm_s16le", "decoder": "pcm_s16le", "extradata": "", "rate": rate, "layout": layout} | {
                "signature": self.signature
            }
        return {
            "codec": self.codec,
            "decoder": codec.name,
            "extradata": "" if self._adts else base64.b64encode(codec.extradata or b"").decode(),
            "rate": codec.sample_rate,
            "layout": codec.layout.name if codec.sample_rate else "",
            "signature": self.signature,
        }

    def convert(self, packet: Any) -> tuple[list[tuple[Any, bytes]], bool]:
        """Return the messages' packets with their data, and whether the format changes with them."""
        if not self._is_plain:
            return self._decoded(packet), False
        data = bytes(packet)
        if self._adts:
            data = adts_packet(self._adts, data)
        signature = self._signature(data)
        changed, self.signature = signature != self.signature and self.signature != self.codec, signature
        return [(packet, data)], changed

    def _signature(self, data: bytes) -> str:
        if self.codec == "aac":
            # Profile, rate and channels of an ADTS header, which are unknown without a packet.
            found = data[2:4] if data[:1] == b"\xff" else b""
            return f"aac:{found[0] & 0xFD:02x}{found[1] & 0xC0:02x}" if len(found) == 2 else "aac"
        codec = self.stream.codec_context
        return f"{self.codec}:{codec.sample_rate}:{codec.layout.name if codec.sample_rate else ''}"

    def _decoded(self, packet: Any) -> list[tuple[Any, bytes]]:
        converted = []
        for frame in packet.decode():
            form = (frame.format.name, frame.layout.name, frame.sample_rate)
            if form != self._form:
                # A resampler takes one form only. Damage can change it, too.
                self._form, self._sent_form = form, self._sent_form or form[1:]
                self._resampler = av.AudioResampler("s16", *self._sent_form)
            for each in self._resampler.resample(frame):
                data = bytes(each.planes[0])[: each.samples * 2 * len(each.layout.channels)]
                converted.append((each, data))
        return converted


def rotation_of(packet: Any) -> int:
    """Return by how many degrees a keyframe's picture has to be rotated; 0 if it cannot be decoded."""
    try:
        frames = packet.decode() or packet.stream.codec_context.decode(None)
    except FFmpegError:
        return 0
    return frames[0].rotation % 360 if frames else 0


def parameters(codec: str, data: bytes) -> bytes:
    """Return the picture's parameter sets in an Annex B packet, `b""` without any."""
    starts = [found.end() for found in START_CODE.finditer(data, 0, PARAMETERS_BYTES_MAX)]
    found = []
    for start, following in zip(starts, [*starts[1:], None], strict=False):
        if start < len(data) and PARAMETERS[codec](data[start]):
            found.append(data[start : following and following - 3].rstrip(b"\x00"))
    return b"".join(found)


def message(track: VideoTrack | AudioTrack, packet: Any, data: bytes, dts_us: int, shift_us: int) -> PacketMessage:
    """Return the message of a packet that is decoded at `dts_us`, and shown `shift_us` later than its own time."""
    times = times_of(packet)
    skip, drop = _trims(packet)
    return PacketMessage(
        stream=track.number,
        pts_us=None if times.pts_us is None else times.pts_us + shift_us,
        dts_us=dts_us,
        duration_us=times.duration_us,
        data=data,
        is_keyframe=bool(getattr(packet, "is_keyframe", True)),
        skip_samples=skip,
        drop_samples=drop,
    )


def times_of(packet: Any) -> PacketTimes:
    """Return the own times of a packet, or of decoded sound."""
    # A resampled frame keeps the decoding time of its packet, in another time base than its own.
    own_dts = None if isinstance(packet, av.AudioFrame) else packet.dts
    pts, dts = (_us(at, packet.time_base) for at in (packet.pts, own_dts))
    return PacketTimes(pts if dts is None else dts, pts, _us(getattr(packet, "duration", None), packet.time_base) or 0)


def _us(at: int | None, time_base: Fraction) -> int | None:
    return None if at is None else round(at * time_base / MICRO)


def _trims(packet: Any) -> tuple[int, int]:
    if not hasattr(packet, "has_sidedata") or not packet.has_sidedata("skip_samples"):
        return 0, 0
    data = bytes(packet.get_sidedata("skip_samples"))
    return int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")
