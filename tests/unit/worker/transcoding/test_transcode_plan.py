from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from worker.processes.limits import ENCODING, limit_argv
from worker.transcoding.plan import FIRST_SEGMENT, EncodedRendition, TranscodePlan, Work, transcoder_argv, watching_argv

RATE = Fraction(24000, 1001)
LADDER = [
    EncodedRendition(name="720p", width=1280, height=720, video_bps=2_800_000, audio_bps=128_000),
    EncodedRendition(name="480p", width=854, height=480, video_bps=1_200_000, audio_bps=96_000),
]
PLACE = {"directory": Path("/scratch/stream 1;'/7-2"), "name": "7-2", "offset_s": 12.5}
TIMES = {"segment_s": 4, "cut_s": 3.0, "rate": RATE, "fields": True, "frozen_after_s": 30}
PLAN = TranscodePlan(work=Work.ENCODE, renditions=LADDER, **PLACE, **TIMES)


def keyframes(plan: TranscodePlan, until_s: int, from_s: int = 0) -> list[int]:
    """Return the numbers of the keyframes of a part of a run."""
    return [n for n in range(round(plan.rate * from_s), round(plan.rate * until_s)) if plan.is_keyframe(n)]


KEYFRAMES = [
    *((Fraction(25), 4, [0, 75, 175, 275]), (Fraction(30), 2, [0, 45, 105, 165, 225, 285, 345, 405])),
    *((Fraction(50), 6, [0, 225, 525]), (Fraction(1), 4, [0, 3, 7, 11, 15]), (Fraction(15), 1, [0, 12, 27, 42, 57])),
    # The first picture at or after 1.5 s, 3.5 s, 5.5 s …
    (RATE, 2, [0, 36, 84, 132, 180, 228, 276, 324]),
]


def test_the_first_segment_is_shorter_and_the_others_are_whole() -> None:
    for rate, segment_s, numbers in KEYFRAMES:
        found = keyframes(replace(PLAN, rate=rate, segment_s=segment_s), 16)
        assert found[: len(numbers)] == numbers
        assert found[1] == pytest.approx(rate * segment_s * Fraction(FIRST_SEGMENT), abs=1)
    # The encoder makes no keyframe before one is due.
    for rate, segment_s, interval in ((RATE, 4, 192), (Fraction(25), 2, 100), (Fraction(1), 1, 2)):
        assert replace(PLAN, rate=rate, segment_s=segment_s).keyframe_interval == interval


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(25, 2)])
@pytest.mark.parametrize("segment_s", [1, 2, 3, 4, 6, 10])
def test_keyframes_do_not_drift_from_the_segments_in_an_hour(rate: Fraction, segment_s: int) -> None:
    plan = replace(PLAN, rate=rate, segment_s=segment_s)
    places = keyframes(plan, 3_660, from_s=3_600)
    assert len(places) == 60 // segment_s
    for number, place in enumerate(places, 3_600 // segment_s):
        due_s = segment_s * (number + FIRST_SEGMENT)
        assert -1e-5 <= place / rate - due_s < 1 / rate
    assert max(after - before for before, after in pairwise(places)) <= plan.keyframe_interval


def test_a_run_is_a_process_within_limits_whose_last_argument_is_the_plan() -> None:
    copied = replace(PLAN, work=Work.COPY, renditions=[EncodedRendition(name="source")])
    slate = replace(PLAN, work=Work.SLATE, rate=Fraction(15), offset_s=0.0, frozen_after_s=0)
    for plan in (PLAN, copied, slate):
        assert TranscodePlan.from_json(plan.to_json()) == plan
    argv = transcoder_argv(PLAN)
    limits = limit_argv([], space=ENCODING)
    assert argv[: len(limits)] == limits
    assert TranscodePlan.from_json(argv[-1]) == PLAN
    assert TranscodePlan.from_json(watching_argv()[-1]).work is Work.WATCH
