"""Sound without gaps, overlaps and drift.

Sound that is off by less than `GAP_US` is stretched or squeezed until it fits, by libswresample, at a rate that cannot
be heard. Longer gaps are filled with exactly as much silence; overlaps are cut off. Behind silence and at the
beginning, this is done with any difference.
"""

from fractions import Fraction
from typing import Any

import av
from av.error import BlockingIOError as Empty

from worker.transcoding.drift_meter import DriftMeter
from worker.transcoding.plan import BYTES_PER_SAMPLE, SAMPLE_RATE
from worker.transcoding.repairs import RunRepairs

# One lost packet (20 to 26 ms in most codecs) is stretched. copying_run.py and docs/sources.md have the same bound.
GAP_US = 40_000
# 0.5 % is 9 hundredths of a semitone. Sound cards are off by a tenth of that at most.
STRETCH = 0.005
COMPENSATION = f"{SAMPLE_RATE}:async=240:min_comp=0.005:comp_duration=1:max_soft_comp={STRETCH}:min_hard_comp=10"
FADE_SAMPLES = 96
SAMPLE_BASE = Fraction(1, SAMPLE_RATE)


def samples_of(duration_us: int) -> int:
    """Return the number of samples in this time."""
    return round(duration_us * SAMPLE_RATE / 1_000_000)


class SoundLine:
    """Stereo sound from `origin_us` on, in 16 bits. `end` and `taken` are counted in samples from there."""

    def __init__(self, origin_us: int, repairs: RunRepairs) -> None:
        self.origin_us = origin_us
        self.taken = 0
        self._repairs = repairs
        self._bytes = bytearray()
        self._stretcher = _stretcher()
        # How many samples the stretcher holds back.
        self._delay = 0
        self._drift = DriftMeter()
        self._after_gap = True

    @property
    def end(self) -> int:
        """Return up to where there is sound."""
        return self.taken + len(self._bytes) // BYTES_PER_SAMPLE

    def restart_drift(self) -> None:
        """Measure the drift from here on, where the source starts again."""
        self._drift.restart()

    def add(self, data: bytes, at_us: int) -> None:
        """Add sound that is to be heard at `at_us`."""
        drift_ppm = self._drift.add(at_us, len(data) // BYTES_PER_SAMPLE)
        if drift_ppm is not None:
            self._repairs.drift_ppm = drift_ppm
        at = samples_of(at_us - self.origin_us)
        missing = at - self.end - self._delay
        # The stretcher's time line begins at its first time stamp: a difference there would stay.
        off_max = 0 if self._after_gap else samples_of(GAP_US) - 1
        if missing > off_max:
            # Nothing is missing where the first packet of sound begins a little after its picture.
            if self.end or missing >= samples_of(GAP_US):
                self._repairs.count_gap(missing, at_us)
            self._push_silence(missing)
        elif missing < -off_max:
            cut = min(-missing, len(data) // BYTES_PER_SAMPLE)
            data, at = data[cut * BYTES_PER_SAMPLE :], at + cut
            self._repairs.count_overlap(cut, at_us)
            self._after_gap = True
        if data:
            self._push(_faded_in(data) if self._after_gap else data, at)
            self._after_gap = False

    def take(self, count: int) -> tuple[bytes, int]:
        """Return the next samples, and how many of them are silence because nothing has come."""
        missing = max(0, count - len(self._bytes) // BYTES_PER_SAMPLE)
        if missing:
            self._push_silence(missing)
        data = bytes(self._bytes[: count * BYTES_PER_SAMPLE])
        del self._bytes[: count * BYTES_PER_SAMPLE]
        self.taken += count
        return data, missing

    def _push_silence(self, count: int) -> None:
        self._fade_out()
        self._bytes += bytes(count * BYTES_PER_SAMPLE)
        # A new stretcher begins its time line behind silence, where nothing can click.
        self._stretcher, self._delay = _stretcher(), 0
        self._after_gap = True

    def _fade_out(self) -> None:
        tail = min(FADE_SAMPLES, len(self._bytes) // BYTES_PER_SAMPLE)
        if tail:
            at = len(self._bytes) - tail * BYTES_PER_SAMPLE
            self._bytes[at:] = _faded(bytes(self._bytes[at:]), rising=False)

    def _push(self, data: bytes, at: int) -> None:
        count = len(data) // BYTES_PER_SAMPLE
        frame = av.AudioFrame("s16", "stereo", count)
        frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE, SAMPLE_BASE, at
        frame.planes[0].update(data)
        self._stretcher.push(frame)
        before = len(self._bytes)
        for made in pull_frames(self._stretcher):
            self._bytes += bytes(made.planes[0])[: made.samples * BYTES_PER_SAMPLE]
        made_count = (len(self._bytes) - before) // BYTES_PER_SAMPLE
        # The stretcher holds back a constant number of samples, measured at its first frame.
        self._delay = self._delay or max(0, count - made_count)


def pull_frames(graph: Any) -> list[Any]:
    """Return all frames that a filter graph has ready."""
    frames = []
    while True:
        try:
            frames.append(graph.pull())
        except (Empty, EOFError):
            return frames


def _stretcher() -> Any:
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=SAMPLE_RATE, format="s16", layout="stereo", time_base=SAMPLE_BASE)
    # `flags=res`: a resampler that is made at the first correction begins with silence for all of the time so far.
    stretch = graph.add("aresample", f"{COMPENSATION}:flags=res")
    form = graph.add("aformat", f"sample_fmts=s16:channel_layouts=stereo:sample_rates={SAMPLE_RATE}")
    graph.link_nodes(source, stretch, form, graph.add("abuffersink")).configure()
    return graph


def _faded_in(data: bytes) -> bytes:
    head = min(FADE_SAMPLES * BYTES_PER_SAMPLE, len(data))
    return _faded(data[:head], rising=True) + data[head:]


def _faded(data: bytes, *, rising: bool) -> bytes:
    values = memoryview(bytearray(data)).cast("h")
    count = len(values) // 2
    for n in range(count):
        level = (n + 1 if rising else count - n) / (count + 1)
        values[2 * n], values[2 * n + 1] = int(values[2 * n] * level), int(values[2 * n + 1] * level)
    return values.tobytes()
