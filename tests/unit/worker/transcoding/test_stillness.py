from array import array
from typing import Any

from tests.unit.worker.clips import gray
from worker.transcoding.source_activity import SourceActivity
from worker.transcoding.stillness import SILENT_LEVEL, StillnessDetector, differs, is_audible, sample_points

PICTURE_US = 40_000
SILENCE = bytes(1_920 * 4)
LOUD = array("h", [SILENT_LEVEL + 1] * 2 * 1_920).tobytes()


def picture(luma: int, bright_rows: int = 0, size: tuple[int, int] = (320, 180)) -> Any:
    frame = gray(luma, size)
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
    # Noise of an encoder is no change, and with sound it is no freeze.
    assert still_us(10_000_000, change_us=5_000_000, by=5) == 10_000_000 - PICTURE_US
    assert still_us(10_000_000, sound=LOUD) == 0
    # A change counts within half a second.
    for change_us in (2_000_000, 7_300_000):
        found = still_us(10_000_000, change_us=change_us)
        assert 10_000_000 - change_us - 600_000 <= found <= 10_000_000 - change_us


def test_a_small_part_that_moves_is_movement_and_a_little_sound_is_heard() -> None:
    before = sample_points(picture(100))
    assert not differs(before, sample_points(picture(100)))
    # Two lines of 180 are more than 1 in 500 of its points.
    assert differs(before, sample_points(picture(100, bright_rows=2)))
    assert differs(before, sample_points(picture(100, size=(640, 360))))
    assert differs(b"", before)
    # What is heard.
    given = ([], [0, 0], [SILENT_LEVEL, -SILENT_LEVEL], [0, 65], [0, -65])
    assert [is_audible(array("h", samples).tobytes()) for samples in given] == [False, False, False, True, True]


def test_what_a_source_had_is_reported_of_one_second_at_a_time() -> None:
    activity = SourceActivity()
    for number in range(75):
        activity.picture(number * PICTURE_US, picture(100 + number if number < 25 else 200))
        if number < 50:
            activity.sound(LOUD if number == 3 else SILENCE)
        if number % 25 == 24:
            assert activity.take() == {"heard": number == 24, "moves": number < 50, "dark": False}
    assert activity.take() == {"heard": False, "moves": False, "dark": True}
    # A black picture is dark, and time that falls back is looked at.
    activity = SourceActivity()
    activity.picture(9_000_000, picture(16))
    assert activity.take()["dark"]
    activity.picture(0, picture(16))
    activity.picture(600_000, picture(16, bright_rows=90))
    assert activity.take() == {"heard": False, "moves": True, "dark": False}
