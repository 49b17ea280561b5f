"""A run that copies packets: nothing is decoded, time stamps are ordered, and missing sound becomes silence."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av

from worker.media.adts import LOW_COMPLEXITY, RATES, adts_packet, form_of, header_of
from worker.media.messages import MICRO, VIDEO, PacketMessage
from worker.transcoding.ladder_encoder import open_output
from worker.transcoding.plan import TranscodePlan
from worker.transcoding.repairs import RunRepairs

AAC_SAMPLES = 1_024
LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}
# Smaller differences stay: players follow the time stamps. Equal to GAP_US in sound_line.py (docs/sources.md).
GAP_US = 40_000
# How far the picture may be ahead of the sound before the sound counts as missing.
PATIENCE_US = 1_000_000
# A segment's length is that of its pictures as they are shown, its keyframe's time is when it is decoded.
KEYFRAME_TOLERANCE_US = 100_000


class CopyingRun:
    """A run that passes each packet on as soon as it comes."""

    def __init__(self, plan: TranscodePlan, repairs: RunRepairs) -> None:
        self._plan = plan
        self._repairs = repairs
        self._output: Any = None
        self._video: Any = None
        self._audio: Any = None
        self._origin_us: int | None = None
        # The last keyframe that was left out.
        self._keyframe_us: int | None = None
        self._last_dts_us: dict[int, int] = {}
        self._picture_us = 0
        # The end of the sound so far, and the packet that replaces a missing one.
        self._sound_us: int | None = None
        self._silence: bytes | None = None
        self._silence_us = 0

    @property
    def out_us(self) -> int:
        """Return how much is made."""
        return self._picture_us

    @property
    def source_us(self) -> int | None:
        """Return the source's time at `out_us`; None before the first picture."""
        return None if self._origin_us is None else self._origin_us + self._picture_us

    @property
    def size(self) -> tuple[int, int] | None:
        """Return None: no picture is decoded."""
        return None

    def tracks(self, described: Mapping[str, Any]) -> None:
        """Open the output for these tracks. The worker begins another run where they change."""
        if self._output is not None:
            return
        video, audio = described["video"], described["audio"]
        name = self._plan.renditions[0].name
        self._output = open_output(self._plan, f"v:0{',a:0' if audio else ''},name:{name}")
        self._video = self._output.add_mux_stream(video["codec"], width=video["width"], height=video["height"])
        self._video.time_base = MICRO
        if audio:
            self._audio = self._output.add_mux_stream(audio["codec"], rate=audio["rate"] or None)
            self._audio.time_base = MICRO

    def packet(self, packet: PacketMessage, now_s: float) -> None:
        """Pass a packet on."""
        is_video = packet.stream == VIDEO
        if self._output is None or (not is_video and self._audio is None):
            return
        if self._origin_us is None:
            if not is_video or not packet.is_keyframe or self._is_before(packet.dts_us):
                return
            self._origin_us = packet.dts_us
        dts_us = packet.dts_us - self._origin_us
        pts_us = dts_us if packet.pts_us is None else packet.pts_us - self._origin_us
        if packet.pts_us is None and not is_video and self._sound_us is not None:
            # Without its own time it continues the last packet.
            pts_us = self._sound_us
        if is_video:
            self._picture_us = max(self._picture_us, dts_us)
            self._mux(self._video, packet.data, pts_us, dts_us, packet.duration_us, packet.is_keyframe)
            self._fill(self._picture_us - PATIENCE_US)
        elif pts_us >= 0:
            self._take_sound(packet, pts_us)

    def advance(self, now_s: float) -> None:
        """Do nothing: packets do not wait."""

    def close(self) -> None:
        """Finish the last segment."""
        if self._output is not None:
            self._output.close()

    def _is_before(self, keyframe_us: int) -> bool:
        """Return whether the last run has published a keyframe."""
        begins_us, before_us, self._keyframe_us = self._plan.begins_us, self._keyframe_us, keyframe_us
        # Of keyframes that are close together, the nearest one counts.
        half_us = KEYFRAME_TOLERANCE_US if before_us is None else (keyframe_us - before_us) // 2
        return begins_us is not None and keyframe_us < begins_us - min(KEYFRAME_TOLERANCE_US, half_us)

    def _take_sound(self, packet: PacketMessage, pts_us: int) -> None:
        if self._silence is None:
            self._silence, self._silence_us = silent_packet(packet.data)
        if self._sound_us is None:
            self._sound_us = 0 if pts_us > GAP_US else pts_us
        if pts_us - self._sound_us >= max(GAP_US, self._silence_us):
            self._fill(pts_us - self._silence_us // 2)
        elif pts_us - self._sound_us <= -GAP_US:
            self._repairs.count_overlap(AAC_SAMPLES, pts_us)
            return
        self._mux(self._audio, packet.data, pts_us, pts_us, packet.duration_us, is_keyframe=True)
        self._sound_us = pts_us + (packet.duration_us or self._silence_us)

    def _fill(self, until_us: int) -> None:
        """Insert silence where sound is missing."""
        if self._sound_us is None or not self._silence or not self._silence_us:
            return
        from_us = self._sound_us
        while self._sound_us < until_us:
            self._mux(self._audio, self._silence, self._sound_us, self._sound_us, self._silence_us, is_keyframe=True)
            self._sound_us += self._silence_us
        if self._sound_us > from_us:
            self._repairs.count_gap(round((self._sound_us - from_us) * 48 / 1000), from_us)

    def _mux(self, stream: Any, data: bytes, pts_us: int, dts_us: int, duration_us: int, is_keyframe: bool) -> None:
        last_us = self._last_dts_us.get(stream.index)
        # A muxer takes no time stamp twice.
        dts_us = dts_us if last_us is None else max(dts_us, last_us + 12)
        self._last_dts_us[stream.index] = dts_us
        packet = av.Packet(data)
        packet.stream, packet.time_base = stream, MICRO
        packet.pts, packet.dts, packet.duration = max(pts_us, dts_us), dts_us, duration_us
        packet.is_keyframe = is_keyframe
        self._output.mux_one(packet)


def silent_packet(sample: bytes) -> tuple[bytes, int]:
    """Return an AAC packet of silence in the form of one of the source's, and how long it lasts; empty if unknown."""
    form = form_of(sample)
    if form is None or form[1] not in LAYOUTS:
        return b"", 0
    index, channels = form
    rate = RATES[index]
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.format = rate, "fltp"
    encoder.layout = LAYOUTS[channels]
    encoder.time_base = Fraction(1, rate)
    frame = av.AudioFrame("fltp", encoder.layout.name, AAC_SAMPLES)
    frame.sample_rate = rate
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    packets: list[Any] = []
    for number in range(3):
        frame.pts = number * AAC_SAMPLES
        packets += encoder.encode(frame)
    # Closed with frames in it, it would complain.
    packets += encoder.encode(None)
    header = header_of(LOW_COMPLEXITY, index, channels)
    return adts_packet(header, bytes(packets[-1])), AAC_SAMPLES * 1_000_000 // rate
