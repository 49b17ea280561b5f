"""The encoder of a ladder, and the muxer of segments: libavformat's, with one media playlist a rendition."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
from av.video.reformatter import ColorRange

from worker.transcoding.plan import BYTES_PER_SAMPLE, LIST_SIZE, SAMPLE_RATE, TIMESTAMP_WRAP_S, TranscodePlan

# Measured for the `hd` ladder from 720p25 on a laptop's core: ultrafast 0.36, superfast 0.55, veryfast 0.77 of it.
# On two cores, half of one leaves room for the player beside it. Below superfast x264 omits CABAC and deblocking, which
# is visible at these bitrates.
PRESET = "superfast"
# Below so many pictures a second there are no B-frames.
LOW_RATE = 15


def open_output(plan: TranscodePlan, stream_map: str) -> Any:
    """Open the muxer of a run. `stream_map` names its tracks as libavformat's `var_stream_map` does."""
    options = {
        "output_ts_offset": f"{plan.offset_s % TIMESTAMP_WRAP_S:.3f}",
        "hls_time": str(plan.cut_s),
        "hls_list_size": str(LIST_SIZE),
        # Declares that a run's first packets do not continue the last run's; players would otherwise report damage.
        "hls_segment_type": "mpegts",
        "hls_segment_options": "mpegts_flags=+initial_discontinuity",
        "hls_flags": "independent_segments+program_date_time+temp_file+omit_endlist",
        "var_stream_map": stream_map,
        "hls_segment_filename": f"{plan.directory}/%v/{plan.name}-%06d.ts",
    }
    return av.open(f"{plan.directory}/%v/index.m3u8", "w", format="hls", options=options)


class LadderEncoder:
    """An encoder of every slot in all renditions."""

    def __init__(self, plan: TranscodePlan) -> None:
        self._plan = plan
        names = (f"v:{n},a:{n},name:{each.name}" for n, each in enumerate(plan.renditions))
        self._output = open_output(plan, " ".join(names))
        self._videos, self._audios = [], []
        for each in plan.renditions:
            self._videos.append(self._video(each.width, each.height, each.video_bps))
            self._audios.append(self._audio(each.audio_bps))
        self._heard = 0

    def add_pictures(self, number: int, pictures: Sequence[Any]) -> None:
        """Encode the picture of a slot, given in each rendition's form. The first sets the colours of all."""
        if number == 0:
            for stream, picture in zip(self._videos, pictures, strict=True):
                _tag(stream.codec_context, picture)
        kind = 1 if self._plan.is_keyframe(number) else 0
        for stream, picture in zip(self._videos, pictures, strict=True):
            picture.pts, picture.time_base, picture.pict_type = number, 1 / self._plan.rate, kind
            self._output.mux(stream.encode(picture))

    def add_sound(self, data: bytes) -> None:
        """Encode the sound of a slot: 16-bit stereo at 48 kHz."""
        count = len(data) // BYTES_PER_SAMPLE
        frame = av.AudioFrame("s16", "stereo", count)
        frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE, Fraction(1, SAMPLE_RATE), self._heard
        frame.planes[0].update(data)
        self._heard += count
        for stream in self._audios:
            self._output.mux(stream.encode(frame))

    def close(self) -> None:
        """Finish the last segment."""
        for stream in (*self._videos, *self._audios):
            self._output.mux(stream.encode(None))
        self._output.close()

    def _video(self, width: int, height: int, bps: int) -> Any:
        options = {"preset": PRESET, "sc_threshold": "0", "maxrate": str(bps), "bufsize": str(bps)}
        if self._plan.rate < LOW_RATE:
            # B-frames shift decoding by two pictures, and with it the cut of the sound: a lot at low rates.
            options["bf"] = "0"
        stream = self._output.add_stream("libx264", rate=self._plan.rate, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", bps
        # Keyframes of segments only: the muxer cuts at each.
        stream.codec_context.gop_size = self._plan.keyframe_interval
        stream.codec_context.thread_type, stream.codec_context.thread_count = "AUTO", 0
        stream.codec_context.sample_aspect_ratio = Fraction(1)
        return stream

    def _audio(self, bps: int) -> Any:
        stream = self._output.add_stream("aac", rate=SAMPLE_RATE)
        stream.layout, stream.bit_rate = "stereo", bps
        return stream


def _tag(codec: Any, picture: Any) -> None:
    """Declare the colours in the encoded pictures: players would guess them by the size."""
    codec.colorspace, codec.color_range = picture.colorspace, ColorRange.MPEG
    codec.color_primaries, codec.color_trc = picture.color_primaries, picture.color_trc
