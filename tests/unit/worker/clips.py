"""Pictures, sound and containers of them, made in memory."""

import io
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av


def gray(luma: int, size: tuple[int, int] = (64, 64), pts: int | None = None, form: str = "yuv420p") -> Any:
    """Return a picture; times count 25ths of a second."""
    frame = av.VideoFrame(*size, form)
    for number, plane in enumerate(frame.planes):
        plane.update(bytes([128 if number else luma]) * plane.buffer_size)
    frame.pts, frame.time_base = pts, Fraction(1, 25)
    return frame


def silence(
    pts: int | None, form: str = "fltp", layout: str = "mono", rate: int = 48_000, samples: int = 1_024, fill: int = 0
) -> Any:
    """Return sound whose bytes are all the same; times count samples."""
    frame = av.AudioFrame(form, layout, samples)
    for plane in frame.planes:
        plane.update(bytes([fill]) * plane.buffer_size)
    frame.sample_rate, frame.pts, frame.time_base = rate, pts, Fraction(1, rate)
    return frame


def clip(
    form: str,
    frames: Iterable[Any],
    video: tuple[str, dict[str, str]] | None = None,
    audio: str = "",
    muxer: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
) -> bytes:
    """Return a container in which these frames are encoded, in their order."""
    frames, out = list(frames), io.BytesIO()
    first = {type(frame): frame for frame in reversed(frames)}
    with av.open(out, "w", form, muxer or {}) as made:
        encoders: dict[type, Any] = {}
        if video:
            encoder: Any = made.add_stream(video[0], rate=25, options=video[1])
            picture = first[av.VideoFrame]
            encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuv420p"
            encoder.codec_context.max_b_frames = 0
            encoder.metadata.update(metadata or {})
            encoders[av.VideoFrame] = encoder
        if audio:
            sound = first[av.AudioFrame]
            encoder = made.add_stream(audio, rate=sound.sample_rate)
            encoder.layout, encoder.bit_rate = sound.layout.name, 128_000
            encoders[av.AudioFrame] = encoder
        for frame in frames:
            made.mux(encoders[type(frame)].encode(frame))
        for encoder in encoders.values():
            made.mux(encoder.encode(None))
    return out.getvalue()
