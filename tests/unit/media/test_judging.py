"""Judging made-up decoded media, in segments of two seconds or less."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.media.inputs.model import Expect, Feed, Input
from tests.media.judging import judge as judging
from tests.media.judging.judge import Result, judge
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


def decoded(*seconds: int, silent: tuple[int, ...] = (), late_s: float = 0.0, hz: int = 440) -> Decoded:
    """Pictures and sound in which the input's clock shows these seconds, or eight."""
    frames, levels = [], []
    for number, second in enumerate(seconds or range(8)):
        for n in range(PICTURES_PER_S):
            flash = n == 0 and second % 2 == 0
            frames.append(painted(number + n / PICTURES_PER_S, second=second, flash=flash, pulse=n % 2 == 0))
        for n in range(PACKETS_PER_S):
            beep = second % 2 == 0 and 0 <= n / PACKETS_PER_S - late_s < 0.1
            loud = NONE_DB if second in silent else BEEP_DB if beep else TONE_DB
            levels.append(Level(number + n / PACKETS_PER_S, loud, 2 * hz))
    return Decoded(frames, levels)


def segments(*, fresh: tuple[int, ...] = (), sound_s: float = SEGMENT_S) -> list[Segment]:
    found = []
    for n in range(4):
        segment = Segment(Path(f"{n}.ts"), SEGMENT_S, n in fresh)
        pictures = tuple(Packet(n * SEGMENT_S + each * 0.1, 0.1) for each in range(20))
        sound = tuple(Packet(n * SEGMENT_S + each * 0.02, 0.02) for each in range(round(sound_s / 0.02)))
        video = {"width": 320, "height": 180, "sample_aspect_ratio": "1:1"}
        segment.__dict__["probed"] = Probed(sound, pictures, video, {"channels": 2})
        found.append(segment)
    return found


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch):
    def judged(*parts: Decoded, fresh: tuple[int, ...] = (), sound_s: float = SEGMENT_S, **expect: object) -> Result:
        left = iter(parts)
        monkeypatch.setattr(judging, "decode", lambda _: next(left))
        return judge(item(**expect), segments(fresh=fresh, sound_s=sound_s), "")

    return judged


def refused(reason: str, **expect: object) -> str:
    return "; ".join(judge(item(**expect), [], reason).faults)


def test_what_is_steady_is_right(judged):
    result = judged(decoded())
    assert result.is_right and result.worth_s == 8
    assert "A-V" in result.figure and "8 s" in result.figure


STILL = decoded()
STILL = Decoded([replace(frame, pixels=STILL.frames[1].pixels) for frame in STILL.frames], STILL.levels)
AGAIN = decoded(0, 1, 2, 3, 0, 1, 2, 3)
WRONG = [
    (decoded(), {"sound_s": 3.0}, "off by +1.00 s"),
    (decoded(silent=(3,)), {}, "silence for 1.00 s"),
    (decoded(hz=880), {}, "880 Hz, should have 440 Hz"),
    (decoded(late_s=0.4), {}, "+0.40 s after the flash"),
    (decoded(silent=(1, 4, 5)), {"silent": ((4, 6),)}, "silence in seconds 1 of"),
    (decoded(), {"silent": ((4, 6),)}, "sound in seconds 4, 5 of"),
    (decoded(), {"sound": False}, "has none"),
    (STILL, {}, "is frozen"),
    (decoded(), {"badge": "magenta"}, "the badge is white, should be magenta"),
    (AGAIN, {"missing_s_max": 1}, "seconds 4 to 7 of the source never come"),
    (AGAIN, {"replays_max": 0}, "come again, 1 times"),
]


@pytest.mark.parametrize(("part", "expect", "fault"), WRONG, ids=[fault for _, _, fault in WRONG])
def test_what_is_wrong_is_named(judged, part, expect, fault):
    assert fault in "; ".join(judged(part, **expect).faults)


def test_what_is_expected_is_right(judged):
    assert judged(decoded(silent=(4, 5)), silent=((4, 6),)).is_right
    assert judged(decoded(silent=tuple(range(8))), sound=False).is_right
    assert judged(AGAIN, content_s=4).worth_s == 4


def test_discontinuities_are_counted_past_the_first_segment(judged):
    halves = decoded(0, 1, 2, 3), decoded(4, 5, 6, 7)
    assert "1 discontinuities, 0 may be" in "; ".join(judged(*halves, fresh=(0, 2)).faults)
    assert judged(*halves, fresh=(0, 2), discontinuities_max=1).is_right


def test_a_refusal_needs_its_words():
    row = {"refused": ("picture",)}
    assert refused("The file has no picture.", **row) == refused("HDR is not played", may_refuse=("HDR",)) == ""
    assert "has none of picture" in refused("status 1", **row)
    assert "were published" in "; ".join(judge(item(**row), segments(), "").faults)
    assert "nothing was published: status 1" in refused("status 1")
