"""Inspect one published segment: `python -m worker.checking [--sound]`, with the segment on the standard input.

Print a line of JSON: how long its sound lasts in seconds, its peak (of 32,767), whether its picture moves and whether
it is all black. With `--sound` its picture is not decoded, and counts as right. This is a process of its own, since
copied media comes from strangers.
"""

import io
import json
import sys

import av
import av.logging

from worker.media.libav import set_up_program
from worker.media.pictures import PIXELS_MAX
from worker.transcoding.stillness import BLACK_MAX, differs, sample_points

SOUND_OPTION = "--sound"


def inspect_segment(body: bytes, *, with_picture: bool = True) -> dict[str, object]:
    """Return what a segment of MPEG-TS holds."""
    sound_s, peak, moves, dark, before = 0.0, 0, not with_picture, with_picture, b""
    resampler = av.AudioResampler("s16", "mono")
    with av.open(io.BytesIO(body), "r", "mpegts") as container:
        judged = [*container.streams.audio[:1], *(container.streams.video[:1] if with_picture else ())]
        for stream in judged:
            # A few bits can encode a picture that takes gigabytes.
            stream.codec_context.options = {"max_pixels": str(PIXELS_MAX)}
        for frame in container.decode(judged) if judged else ():
            if isinstance(frame, av.AudioFrame):
                sound_s += frame.samples / frame.sample_rate
                for made in resampler.resample(frame):
                    values = memoryview(bytes(made.planes[0])[: made.samples * 2]).cast("h")
                    peak = max(peak, *map(abs, (max(values), min(values)))) if len(values) else peak
            elif isinstance(frame, av.VideoFrame):
                points = sample_points(frame)
                moves = moves or (bool(before) and differs(before, points))
                dark = dark and max(points) <= BLACK_MAX
                before = points
        has_sound = bool(container.streams.audio)
    found = {"has_sound": has_sound, "sound_s": round(sound_s, 3), "peak": peak}
    return {**found, "moves": moves, "dark": dark}


def main() -> int:
    """Inspect the standard input, print the result and return the exit status."""
    set_up_program("checker", av.logging.ERROR)
    with_picture = SOUND_OPTION not in sys.argv[1:]
    print(json.dumps(inspect_segment(sys.stdin.buffer.read(), with_picture=with_picture)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
