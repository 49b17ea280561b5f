"""Judging made-up decoded media, in segments of two seconds or less."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.media.inputs.model import Expect, Feed, Input
from tests.media.judging import judge as judging
from tests.media.judging.judge import judge
from tests.media.judging.measures import Packet, Probed
from tests.media.judging.segments import Decoded, Segment
from tests.media.judging.sound import Level
from tests.unit.media.painting import painted

PICTURES_PER_S, PACKETS_PER_S = 10, 50
SEGMENT_S = 2.0
TONE_DB, BEEP_DB, NONE_DB = -30.0, -10.0, -90.0


def item(**expect: object) -> Input:
    wanted = Expect(**{"seconds_min": 8.0, **expect})
    return Input(name="one", about="An input", make=(), entry="in.ts", feed=Feed.FILE, expect=wanted, turn_s=8)


def decoded(seconds: list[int], *, silent: tuple[int, ...] = (), late_s: float = 0.0, hz: int = 440) -> Decoded:
    """Pictures and sound in which the input's clock shows these seconds."""
    frames, levels = [], []
    for number, second in enumerate(seconds):
        for n in range(PICTURES_PER_S):
            flash = n == 0 and second % 2 == 0
            frames.append(painted(number + n / PICTURES_PER_S, second=second, flash=flash, pulse=n % 2 == 0))
        for n in range(PACKETS_PER_S):
            beep = second % 2 == 0 and 0 <= n / PACKETS_PER_S - late_s < 0.1
            loud = NONE_DB if second in silent else BEEP_DB if beep else TONE_DB
            levels.append(Level(number + n / PACKETS_PER_S, loud, 2 * hz))
    return Decoded(frames, levels)


def segments(count: int, *, fresh: tuple[int, ...] = (), sound_s: float = SEGMENT_S) -> list[Segment]:
    found = []
    for n in range(count):
        segment = Segment(Path(f"{n}.ts"), SEGMENT_S, n in fresh)
        pictures = tuple(Packet(n * SEGMENT_S + each * 0.1, 0.1) for each in range(20))
        sound = tuple(Packet(n * SEGMENT_S + each * 0.02, 0.02) for each in range(round(sound_s / 0.02)))
        video = {"width": 320, "height": 180, "sample_aspect_ratio": "1:1"}
        segment.__dict__["probed"] = Probed(sound, pictures, video, {"channels": 2})
        found.append(segment)
    return found


@pytest.fixture
def plays(monkeypatch: pytest.MonkeyPatch):
    def play(*parts: Decoded) -> None:
        left = iter(parts)
        monkeypatch.setattr(judging, "decode", lambda _: next(left))

    return play


def faults(row: Input, published: list[Segment], reason: str = "") -> str:
    return "; ".join(judge(row, published, reason).faults)


def test_what_is_steady_is_right(plays):
    plays(decoded(list(range(8))))
    result = judge(item(), segments(4))
    assert result.is_right and result.worth_s == 8
    assert "A-V" in result.figure and "8 s" in result.figure


def test_too_little_and_too_much_sound_are_wrong(plays):
    plays(decoded(list(range(8))))
    assert "off by +1.00 s" in faults(item(), segments(4, sound_s=3.0))


def test_discontinuities_are_counted_past_the_first_segment(plays):
    halves = decoded([0, 1, 2, 3]), decoded([4, 5, 6, 7])
    plays(*halves)
    assert "1 discontinuities, 0 may be" in faults(item(), segments(4, fresh=(0, 2)))
    plays(*halves)
    assert judge(item(discontinuities_max=1), segments(4, fresh=(0, 2))).is_right


def test_silence_and_another_tone_and_a_late_beep_are_wrong(plays):
    plays(decoded(list(range(8)), silent=(3,)))
    assert "silence for 1.00 s" in faults(item(), segments(4))
    plays(decoded(list(range(8)), hz=880))
    assert "880 Hz, should have 440 Hz" in faults(item(), segments(4))
    plays(decoded(list(range(8)), late_s=0.4))
    assert "+0.40 s after the flash" in faults(item(), segments(4))


def test_silence_belongs_into_its_seconds(plays):
    expect = item(silent=((4, 6),))
    plays(decoded(list(range(8)), silent=(4, 5)))
    assert judge(expect, segments(4)).is_right
    plays(decoded(list(range(8)), silent=(1, 4, 5)))
    assert "silence in seconds 1 of" in faults(expect, segments(4))
    plays(decoded(list(range(8))))
    assert "sound in seconds 4, 5 of" in faults(expect, segments(4))


def test_a_source_without_sound_is_to_be_silent(plays):
    plays(decoded(list(range(8)), silent=tuple(range(8))))
    assert judge(item(sound=False), segments(4)).is_right
    plays(decoded(list(range(8))))
    assert "has none" in faults(item(sound=False), segments(4))


def test_a_frozen_picture_and_another_picture_are_wrong(plays):
    still = decoded(list(range(8)))
    plays(Decoded([replace(frame, pixels=still.frames[1].pixels) for frame in still.frames], still.levels))
    assert "is frozen" in faults(item(), segments(4))
    plays(decoded(list(range(8))))
    assert "the badge is white, should be magenta" in faults(item(badge="magenta"), segments(4))


def test_seconds_that_never_come_and_that_come_again_are_wrong(plays):
    plays(decoded([0, 1, 2, 3, 0, 1, 2, 3]))
    assert "seconds 4 to 7 of the source never come" in faults(item(missing_s_max=1), segments(4))
    plays(decoded([0, 1, 2, 3, 0, 1, 2, 3]))
    assert "come again, 1 times" in faults(item(replays_max=0), segments(4))
    plays(decoded([0, 1, 2, 3, 0, 1, 2, 3]))
    assert judge(item(content_s=4), segments(4)).worth_s == 4


def test_a_refusal_needs_its_words():
    row = item(refused=("picture",))
    assert judge(row, [], "The file has no picture.").is_right
    assert "has none of picture" in faults(row, [], "status 1")
    assert "were published" in faults(row, segments(4), "")
    assert judge(item(may_refuse=("HDR",)), [], "HDR is not played").is_right
    assert "nothing was published: status 1" in faults(item(), [], "status 1")
