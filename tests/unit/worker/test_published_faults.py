"""What is wrong with what is published, by what a segment holds and what its source had."""

import pytest

from worker.encoding.transcoder import Activity
from worker.published_faults import published_fault
from worker.publishing.sampling import Sample

LIVELY = Activity(heard=True, moves=True, dark=False)
QUIET = Activity(heard=False, moves=False, dark=False)
GOOD = {"run": 1, "duration_s": 2.0, "has_sound": True, "sound_s": 2.01, "peak": 3000, "moves": True, "dark": False}


@pytest.mark.parametrize(
    ("changes", "activity", "expected"),
    [
        ({}, [LIVELY] * 8, None),
        ({"sound_s": 1.86}, [LIVELY] * 8, None),
        ({"sound_s": 1.8}, [], "a published segment of 2.00 s has 1.80 s of sound"),
        ({"sound_s": 31.0}, [LIVELY] * 8, "a published segment of 2.00 s has 31.00 s of sound"),
        ({"has_sound": False, "sound_s": 0.0, "peak": 0}, [LIVELY] * 8, None),
        ({"peak": 0}, [LIVELY] * 8, "a published segment is silent while the source has sound"),
        ({"peak": 0}, [LIVELY] * 7, None),
        ({"peak": 0}, [*[LIVELY] * 7, QUIET], None),
        ({"dark": True}, [LIVELY] * 8, "a published segment is black while the source is not"),
        ({"dark": True}, [*[LIVELY] * 7, Activity(heard=True, moves=True, dark=True)], None),
        ({"moves": False}, [LIVELY] * 8, "a published segment stands still while the source moves"),
        ({"moves": False}, [*[LIVELY] * 7, QUIET], None),
    ],
)
def test_a_segment_is_held_against_its_source(changes, activity, expected) -> None:
    assert published_fault(Sample(**{**GOOD, **changes}), activity) == expected
