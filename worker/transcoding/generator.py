"""Pictures and sound without a source: the test pattern with a clock, and the slate."""

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import Any

import av

from worker.transcoding.clock_face import draw_clock
from worker.transcoding.ladder_encoder import LadderEncoder
from worker.transcoding.picture_former import PictureFormat, PictureFormer
from worker.transcoding.plan import BYTES_PER_SAMPLE, SAMPLE_RATE, TranscodePlan, Work

# The text "We will be right back", white on dark blue.
SLATE = Path(__file__).with_name("slate.png")
TONE = f"frequency=440:beep_factor=2:sample_rate={SAMPLE_RATE}"
CHUNK_SAMPLES = 1_024


def generate(plan: TranscodePlan, report: Callable[[int], None], is_stopped: Callable[[], bool]) -> None:
    """Make slots at the pace of the clock until it is stopped."""
    encoder, former = LadderEncoder(plan), PictureFormer(plan.renditions)
    sound = repeat(bytes(CHUNK_SAMPLES * BYTES_PER_SAMPLE)) if plan.work is Work.SLATE else _tone()
    shown: list[Any] = []
    data, began_s, heard = b"", time.monotonic(), 0
    for number, frame in enumerate(_still() if plan.work is Work.SLATE else _pattern(plan)):
        if is_stopped():
            break
        if frame is not None:
            picture_format = PictureFormat.of_frame(frame, Fraction(1))
            _, shown = former.form(frame, round(1_000_000 * number / plan.rate), picture_format)[0]
        encoder.add_pictures(number, shown)
        needed = (round((number + 1) * SAMPLE_RATE / plan.rate) - heard) * BYTES_PER_SAMPLE
        while len(data) < needed:
            data += next(sound)
        encoder.add_sound(data[:needed])
        data, heard = data[needed:], heard + needed // BYTES_PER_SAMPLE
        report(round(1_000_000 * (number + 1) / plan.rate))
        time.sleep(max(0.0, began_s + (number + 1) / plan.rate - time.monotonic()))
    encoder.close()


def _still() -> Iterator[Any]:
    """Yield the slate once, and then None for ever."""
    with av.open(str(SLATE)) as container:
        yield next(container.decode(video=0))
    yield from repeat(None)


def _pattern(plan: TranscodePlan) -> Iterator[Any]:
    """Yield moving colours with the time of day."""
    largest = max(plan.renditions, key=lambda rendition: rendition.width)
    graph = av.filter.Graph()
    source = graph.add("testsrc2", f"size={largest.width}x{largest.height}:rate={plan.rate}")
    form = graph.add("format", "yuv420p")
    graph.link_nodes(source, form, graph.add("buffersink")).configure()
    while True:
        frame = graph.pull()
        draw_clock(frame, time.strftime("%H:%M:%S", time.gmtime()))
        yield frame


def _tone() -> Iterator[bytes]:
    graph = av.filter.Graph()
    chain = [graph.add("sine", TONE), graph.add("volume", "0.3")]
    chain.append(graph.add("aformat", f"sample_fmts=s16:channel_layouts=stereo:sample_rates={SAMPLE_RATE}"))
    graph.link_nodes(*chain, graph.add("abuffersink")).configure()
    while True:
        frame: Any = graph.pull()
        yield bytes(frame.planes[0])[: frame.samples * BYTES_PER_SAMPLE]
