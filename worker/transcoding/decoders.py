"""Decoders of pictures and sound, which follow the source's format."""

import base64
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import av
from av.error import FFmpegError

from worker.media.messages import PacketMessage
from worker.media.pictures import FORMAT, PALETTE, new_decoder, packet_of
from worker.transcoding.plan import BYTES_PER_SAMPLE, SAMPLE_RATE
from worker.transcoding.repairs import RunRepairs

FRAME_THREADS_PIXELS = 1_920 * 1_088


class VideoDecoder:
    """A decoder of the source's present picture track."""

    def __init__(self, track: Mapping[str, Any]) -> None:
        self._track = track
        self._codec = new_decoder(track)
        # Frame threads hold a picture back until the next one comes, and that may take long. Large ones need them.
        large = track["width"] * track["height"] > FRAME_THREADS_PIXELS
        self._codec.thread_type = "AUTO" if large else "SLICE"

    def follow(self, track: Mapping[str, Any]) -> bool:
        """Decode this track from now on; return False if that takes another decoder.

        It follows changes inside the packets by itself.
        """
        fits = all(track[name] == self._track[name] for name in FORMAT)
        if fits:
            self._track = track
        return fits

    @property
    def pixel_aspect(self) -> Fraction:
        """Return the width of the last picture's pixels by their height."""
        return self._codec.sample_aspect_ratio or Fraction(1)

    def first_picture(self, packet: PacketMessage) -> tuple[Any, Fraction] | None:
        """Return a keyframe's picture and pixel aspect at once; `decode` may hold it back until more pictures come."""
        try:
            codec = new_decoder(self._track)
            frames = codec.decode(self._packet(packet)) or codec.decode(None)
        except FFmpegError:
            return None
        return (frames[0], codec.sample_aspect_ratio or Fraction(1)) if frames else None

    def decode(self, packet: PacketMessage | None, repairs: RunRepairs) -> Iterator[tuple[int | None, Any]]:
        """Yield pictures with their times in microseconds; with None, those that are still held."""
        try:
            frames = self._codec.decode(self._packet(packet) if packet else None)
        except FFmpegError:
            repairs.damaged_packets += 1
            return
        for frame in frames:
            # The packets' own unit: microseconds.
            yield frame.pts, frame

    def _packet(self, message: PacketMessage) -> Any:
        return packet_of(message, self._track[PALETTE])


class AudioDecoder:
    """A decoder of the source's present sound track, to 16-bit stereo at 48 kHz."""

    def __init__(self, track: Mapping[str, Any]) -> None:
        self._track = {name: track[name] for name in ("decoder", "extradata", "rate", "layout")}
        self._codec = av.CodecContext.create(track["decoder"], "r")
        self._codec.extradata = base64.b64decode(track["extradata"]) or None
        if track["rate"]:
            self._codec.sample_rate, self._codec.layout = track["rate"], track["layout"]
        self._resampler: Any = None
        self._form: tuple[Any, ...] = ()

    def fits(self, track: Mapping[str, Any]) -> bool:
        """Return whether this decoder can decode the track."""
        return all(track[name] == value for name, value in self._track.items())

    def decode(self, packet: PacketMessage, repairs: RunRepairs) -> Iterator[tuple[int | None, bytes]]:
        """Yield sound with its time in microseconds."""
        try:
            frames = self._codec.decode(packet_of(packet))
        except FFmpegError:
            repairs.damaged_packets += 1
            return
        skip, drop = packet.skip_samples, packet.drop_samples
        for frame in frames:
            at_us = frame.pts
            rate = frame.sample_rate
            for data in self._resampled(frame, repairs):
                first, last = skip * SAMPLE_RATE // rate, drop * SAMPLE_RATE // rate
                kept = data[first * BYTES_PER_SAMPLE : len(data) - last * BYTES_PER_SAMPLE]
                yield (None if at_us is None else at_us + skip * 1_000_000 // rate), kept
                skip = drop = 0
                at_us = None

    def _resampled(self, frame: Any, repairs: RunRepairs) -> Iterator[bytes]:
        form = (frame.sample_rate, frame.layout.name, frame.format.name)
        if form != self._form:
            repairs.format_changes += bool(self._form)
            self._form, self._resampler = form, av.AudioResampler("s16", "stereo", SAMPLE_RATE)
        frame.pts = None
        made = self._resampler.resample(frame)
        if made:
            yield b"".join(bytes(each.planes[0])[: each.samples * BYTES_PER_SAMPLE] for each in made)
