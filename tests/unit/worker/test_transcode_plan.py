"""What a run is asked for, and where its segments begin."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from worker.transcoding.clock_face import DIGITS
from worker.transcoding.pictures import fitted
from worker.transcoding.plan import EncodedRendition, TranscodePlan, Work, transcoder_argv

PLAN = TranscodePlan(
    work=Work.ENCODE,
    renditions=[EncodedRendition(name="480p", width=854, height=480, video_bps=1_200_000, audio_bps=96_000)],
    directory=Path("/scratch/w1/s/1/1-1"),
    name="1-1",
    segment_s=2,
    cut_s=1.5,
    offset_s=12.5,
    rate=Fraction(25),
)


def test_it_goes_to_its_process_as_it_is() -> None:
    assert TranscodePlan.decoded(PLAN.encoded()) == PLAN
    argv = transcoder_argv(replace(PLAN, rate=Fraction(30_000, 1_001)))
    assert argv[0] == "setpriv" and TranscodePlan.decoded(argv[-1]).rate == Fraction(30_000, 1_001)


@pytest.mark.parametrize(
    ("segment_s", "rate", "keyframes"),
    [
        # The first segment of a run is shorter by a quarter.
        (2, Fraction(25), [0, 38, 88, 138]),
        (1, Fraction(25), [0, 19, 44, 69]),
        (2, Fraction(30_000, 1_001), [0, 45, 105, 165]),
        (10, Fraction(10), [0, 75, 175, 275]),
    ],
)
def test_a_segment_begins_with_a_keyframe(segment_s: int, rate: Fraction, keyframes: list[int]) -> None:
    plan = replace(PLAN, segment_s=segment_s, rate=rate)
    assert [number for number in range(keyframes[-1] + 1) if plan.is_keyframe(number)] == keyframes
    assert plan.keyframe_interval >= 2 * segment_s * rate


@pytest.mark.parametrize(
    ("picture", "box", "shown"),
    [
        ((1280, 720, 1), (1280, 720), (1280, 720)),
        ((1920, 1080, 1), (854, 480), (854, 480)),
        ((720, 576, Fraction(16, 15)), (1280, 720), (960, 720)),
        ((720, 576, Fraction(64, 45)), (1280, 720), (1280, 720)),
        ((1080, 1920, 1), (1280, 720), (404, 720)),
        ((321, 243, 1), (854, 480), (634, 480)),
        ((100, 100, 255), (1280, 720), (1280, 34)),
        ((4, 2000, 1), (1280, 720), (2, 720)),
    ],
)
def test_a_picture_keeps_its_shape(picture, box, shown) -> None:
    width, height, aspect = picture
    assert fitted(width, height, Fraction(aspect), *box) == shown


def test_every_digit_of_the_clock_has_a_picture_of_its_own() -> None:
    assert sorted(DIGITS) == sorted("0123456789:") and len(set(DIGITS.values())) == 11
