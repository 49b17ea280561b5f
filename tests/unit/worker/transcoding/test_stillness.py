"""The rule when a source counts as frozen, and its activity in the last second."""

from array import array
from typing import Any

import av
import pytest

from worker.transcoding.source_activity import SourceActivity
from worker.transcoding.stillness import SILENT_LEVEL, StillnessDetector, differs, is_audible, sample_points

PICTURE_US = 40_000
SILENCE = bytes(1_920 * 4)
LOUD = array("h", [SILENT_LEVEL + 1] * 2 * 1_920).tobytes()


def picture(luma: int, bright_rows: int = 0, size: tuple[int, int] = (320, 180)) -> Any:
    frame = av.VideoFrame(*size, "yuv420p")
    for number, plane in enumerate(frame.planes):
        plane.update(bytes([128 if number else luma]) * plane.buffer_size)
    rows = memoryview(frame.planes[0])
    end = bright_rows * frame.planes[0].line_size
    rows[:end] = bytes([luma + 20]) * end
    return frame


def still_us(lasts_us: int, *, sound: bytes = SILENCE, change_us: int | None = None, by: int = 20) -> int:
    """Return for how long nothing has happened at the end of a picture that changes once."""
    detector = StillnessDetector()
    for at_us in range(0, lasts_us, PICTURE_US):
        has_changed = change_us is not None and at_us >= change_us
        detector.look(at_us, picture(100 + by * has_changed), sound)
    return detector.still_us


def test_a_picture_that_stands_still_in_silence_is_frozen() -> None:
    assert still_us(10_000_000) == 10_000_000 - PICTURE_US


@pytest.mark.parametrize("change_us", [2_000_000, 7_300_000])
def test_a_change_counts_within_half_a_second(change_us: int) -> None:
    found = still_us(10_000_000, change_us=change_us)
    assert 10_000_000 - change_us - 600_000 <= found <= 10_000_000 - change_us


def test_noise_of_an_encoder_is_no_change() -> None:
    assert still_us(10_000_000, change_us=5_000_000, by=5) == 10_000_000 - PICTURE_US


def test_a_picture_that_stands_still_with_sound_is_no_freeze() -> None:
    assert still_us(10_000_000, sound=LOUD) == 0


def test_a_small_part_of_a_picture_that_moves_is_movement() -> None:
    before = sample_points(picture(100))
    assert not differs(before, sample_points(picture(100)))
    # Two lines of 180 are more than 1 in 500 of its points.
    assert differs(before, sample_points(picture(100, bright_rows=2)))
    assert differs(before, sample_points(picture(100, size=(640, 360))))
    assert differs(b"", before)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [([], False), ([0, 0], False), ([SILENT_LEVEL, -SILENT_LEVEL], False), ([0, 65], True), ([0, -65], True)],
)
def test_what_is_heard(samples: list[int], expected: bool) -> None:
    assert is_audible(array("h", samples).tobytes()) is expected


def test_what_a_source_had_is_reported_of_one_second_at_a_time() -> None:
    activity = SourceActivity()
    for number in range(25):
        activity.picture(number * PICTURE_US, picture(100 + number))
        activity.sound(LOUD if number == 3 else SILENCE)
    assert activity.take() == {"heard": True, "moves": True, "dark": False}
    for number in range(25, 50):
        activity.picture(number * PICTURE_US, picture(200))
        activity.sound(SILENCE)
    assert activity.take() == {"heard": False, "moves": True, "dark": False}
    for number in range(50, 75):
        activity.picture(number * PICTURE_US, picture(200))
    assert activity.take() == {"heard": False, "moves": False, "dark": False}
    assert activity.take() == {"heard": False, "moves": False, "dark": True}


def test_a_black_picture_is_dark_and_time_that_falls_back_is_looked_at() -> None:
    activity = SourceActivity()
    activity.picture(9_000_000, picture(16))
    assert activity.take()["dark"]
    activity.picture(0, picture(16))
    activity.picture(600_000, picture(16, bright_rows=90))
    assert activity.take() == {"heard": False, "moves": True, "dark": False}
