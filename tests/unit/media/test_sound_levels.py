import pytest

from tests.media.judging import sound
from tests.media.judging.sound import Level

PACKET_S = 0.02


def levels(*loud_db: float, crossings_per_s: float = 880) -> list[Level]:
    return [Level(n * PACKET_S, each, crossings_per_s) for n, each in enumerate(loud_db)]


def test_silence_is_the_longest_run_without_sound():
    assert sound.silence_s(levels(-30, -90, -90, -30, -90, -30)) == pytest.approx(0.04)
    assert sound.silence_s(levels(-30, -31, -30)) == 0
    # What is missing after a silent packet lasts until the next one.
    assert sound.silence_s([Level(0.0, -90, 0), Level(3.0, -30, 0)]) == 3.0
    heard = levels(-30, -90, -90, -90, -30)
    assert sound.silent_share(heard, 0.0, 0.09) == pytest.approx(3 / 4)
    assert sound.silent_share(heard, 5.0, 6.0) is None


def test_the_tone_is_heard_past_silence():
    heard = [*levels(-30, -31, -30), *levels(-90, -90, crossings_per_s=0)]
    assert sound.tone_hz(heard) == 440
    assert sound.tone_hz(levels(-90, -100)) == 0
    # A beep begins where it gets loud.
    assert sound.beeps(levels(-30, -31, -10, -10, -30, -30, -30)) == [pytest.approx(0.04)]
    assert sound.beeps(levels(-90, -90)) == []


def test_the_skew_is_that_of_the_worst_pair():
    assert sound.skew_s([2.0, 4.0], [2.02, 3.75, 6.0]) == pytest.approx(-0.25)
    assert sound.skew_s([2.0], [9.0]) is None
    assert sound.skew_s([2.0], []) is None and sound.skew_s([], [2.0]) is None
