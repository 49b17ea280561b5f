import math
from array import array
from itertools import groupby, pairwise

import pytest

from worker.transcoding.drift_meter import DRIFT_WINDOW_US
from worker.transcoding.plan import SAMPLE_RATE
from worker.transcoding.repairs import RunRepairs
from worker.transcoding.sound_line import GAP_US, SoundLine, samples_of

ORIGIN_US = 5_000_000
PACKET = 1_024
LEVEL = 8_000
# One period of 480 Hz, in stereo.
PERIOD = [round(LEVEL * math.sin(2 * math.pi * n / 100)) for n in range(100)]
STEREO = array("h", [value for value in PERIOD for _ in range(2)]).tobytes()


def tone(first: int, count: int) -> bytes:
    """Return `count` samples of the tone, from sample `first` on, in stereo."""
    return (STEREO * (count // 100 + 2))[first % 100 * 4 :][: count * 4]


class Line:
    """A `SoundLine` with a sender of a tone. `sent` counts the samples that were sent."""

    def __init__(self) -> None:
        self.repairs = RunRepairs()
        self.line = SoundLine(ORIGIN_US, self.repairs)
        self.sent = 0

    def send(self, duration_us: int, *, late_us: int = 0, ppm: float = 0.0) -> None:
        """Send sound of this length, `late_us` after it would be due."""
        for _ in range(round(duration_us * SAMPLE_RATE / 1e6 / PACKET)):
            at_us = ORIGIN_US + round(self.sent * 1e6 / SAMPLE_RATE * (1 + ppm / 1e6)) + late_us
            self.line.add(tone(self.sent, PACKET), at_us)
            self.sent += PACKET

    @property
    def counts(self) -> tuple[int, int]:
        """Return the milliseconds of inserted silence and of trimmed sound."""
        counts = self.repairs.counts()
        return counts["silence_ms"], counts["trimmed_ms"]

    def off_us(self, late_us: int = 0, ppm: float = 0.0) -> float:
        """Return the distance of the line's end from the end of the sent sound, in microseconds."""
        return abs((self.line.end - self.sent * (1 + ppm / 1e6)) * 1e6 / SAMPLE_RATE - late_us)

    def take_all(self) -> bytes:
        data, missing = self.line.take(self.line.end)
        assert missing == 0
        return data


@pytest.fixture
def line() -> Line:
    return Line()


def longest_silence(data: bytes) -> int:
    """Return the largest number of samples in a row that are 0 in both channels."""
    values = array("h", data)
    runs = groupby(zip(values[::2], values[1::2], strict=True), lambda both: both == (0, 0))
    return max((len(list(run)) for is_silent, run in runs if is_silent), default=0)


def test_sound_without_faults_is_passed_on_whole(line: Line) -> None:
    line.send(2_000_000)
    assert line.counts == (0, 0)
    assert abs(line.line.end - line.sent) < samples_of(2_000)
    made, sent = array("h", line.take_all()), array("h", tone(0, line.line.end))
    # The fade-in changes the first 192 values.
    assert max(abs(made[n] - sent[n]) for n in range(200, len(made))) <= 2


@pytest.mark.parametrize("gap_ms", [41, 333])
def test_a_gap_gets_exactly_as_much_silence(line: Line, gap_ms: int) -> None:
    line.send(1_000_000)
    sent_before = line.sent
    line.send(1_000_000, late_us=gap_ms * 1_000)
    without = Line()
    without.send(2_000_000)
    # The stretching filter holds back 17 samples. 24 samples are half a millisecond.
    assert line.line.end - without.line.end == pytest.approx(samples_of(gap_ms * 1_000), abs=24)
    silence_ms, trimmed_ms = line.counts
    assert silence_ms == pytest.approx(gap_ms, abs=1) and trimmed_ms == 0
    assert line.off_us(gap_ms * 1_000) < 2_000
    data = line.take_all()
    assert longest_silence(data) == pytest.approx(samples_of(gap_ms * 1_000), abs=50)
    assert longest_silence(data[: (sent_before - 200) * 4]) < 10


@pytest.mark.parametrize("overlap_ms", [41, 900])
def test_overlapping_sound_is_trimmed(line: Line, overlap_ms: int) -> None:
    line.send(1_000_000)
    line.send(2_000_000, late_us=-overlap_ms * 1_000)
    silence_ms, trimmed_ms = line.counts
    assert trimmed_ms == pytest.approx(overlap_ms, abs=1) and silence_ms == 0
    assert line.off_us(-overlap_ms * 1_000) < 2_000


@pytest.mark.parametrize("off_ms", [35, -35])
def test_a_small_step_is_stretched_without_silence(line: Line, off_ms: int) -> None:
    assert abs(off_ms) * 1_000 < GAP_US
    line.send(1_000_000)
    line.send(15_000_000, late_us=off_ms * 1_000)
    assert line.counts == (0, 0)
    assert line.off_us(off_ms * 1_000) < 15_000
    assert longest_silence(line.take_all()[4_000:]) < 10


@pytest.mark.parametrize("ppm", [1_000, -100])
def test_a_clock_that_drifts_stays_with_the_picture_and_is_measured(line: Line, ppm: int) -> None:
    for _ in range(60):
        line.send(1_000_000, ppm=ppm)
        assert line.off_us(ppm=ppm) < 15_000
        line.line.take(line.line.end - samples_of(100_000) - line.line.taken)
    assert line.counts == (0, 0)
    # A slow sound clock makes the time stamps run ahead of the samples, so the drift is negative.
    assert line.repairs.drift_ppm == pytest.approx(-ppm, abs=5)


def test_drift_is_not_measured_across_a_gap(line: Line) -> None:
    line.send(DRIFT_WINDOW_US // 2)
    line.send(DRIFT_WINDOW_US // 2, late_us=500_000)
    assert line.repairs.drift_ppm is None
    line.send(DRIFT_WINDOW_US // 2 + 2_000_000, late_us=500_000)
    assert line.repairs.drift_ppm == pytest.approx(0, abs=5)


def test_drift_is_not_measured_across_the_turn_of_a_loop(line: Line) -> None:
    turns = 3
    for turn in range(turns):
        # Its sound is a packet shorter than its picture.
        line.send(DRIFT_WINDOW_US // 2, late_us=turn * 21_000)
        line.line.restart_drift()
    assert line.repairs.drift_ppm is None
    line.send(DRIFT_WINDOW_US + 2_000_000, late_us=turns * 21_000)
    assert line.repairs.drift_ppm == pytest.approx(0, abs=5)


def test_missing_sound_becomes_silence_and_is_trimmed_when_it_comes_late(line: Line) -> None:
    line.send(1_000_000)
    end = line.line.end
    data, missing = line.line.take(end + 4_800)
    assert missing == 4_800 and len(data) == (end + 4_800) * 4
    assert line.line.taken == line.line.end == end + 4_800
    line.send(1_000_000)
    silence_ms, trimmed_ms = line.counts
    # The line does not count this silence. The caller of `take` counts `missing` itself.
    assert silence_ms == 0 and trimmed_ms == pytest.approx(100, abs=2)
    assert line.off_us() < 2_000


@pytest.mark.parametrize(("late_ms", "missing_ms"), [(5, 0), (39, 0), (130, 130)])
def test_sound_that_begins_after_its_picture_is_heard_at_its_time(line: Line, late_ms: int, missing_ms: int) -> None:
    # The stretcher ignores an offset of its first time stamp, so the line has to insert silence.
    line.send(10_000_000, late_us=late_ms * 1_000)
    assert line.off_us(late_ms * 1_000) < 2_000
    assert line.counts == (pytest.approx(missing_ms, abs=1), 0)


@pytest.mark.parametrize("late_ms", [95, 105])
def test_sound_that_comes_back_near_the_end_of_silence_is_heard_at_its_time(line: Line, late_ms: int) -> None:
    line.send(1_000_000)
    line.line.take(line.line.end + samples_of(100_000))
    line.send(10_000_000, late_us=late_ms * 1_000)
    assert line.off_us(late_ms * 1_000) < 2_000


def test_a_gap_makes_no_click(line: Line) -> None:
    line.send(500_000)
    line.send(500_000, late_us=200_000)
    left = array("h", line.take_all())[::2]
    steps = max(abs(after - before) for before, after in pairwise(left))
    # The steepest step of the tone itself.
    assert steps <= max(abs(PERIOD[n] - PERIOD[n - 1]) for n in range(100)) * 1.2
