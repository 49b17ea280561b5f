"""Judging made-up decoded media, in segments of two seconds or less."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.media.inputs.model import Expect, Feed, Input
from tests.media.judging import judge as judging
from tests.media.judging import picture
from tests.media.judging.judge import Result, judge
from tests.media.judging.measures import Packet, Probed, sound_off_s
from tests.media.judging.picture import GRID_HEIGHT, GRID_WIDTH, Frame
from tests.media.judging.promises import broken_promises
from tests.media.judging.segments import Decoded, Segment
from tests.media.judging.sound import Level

PICTURES_PER_S, PACKETS_PER_S = 10, 50
SEGMENT_S = 2.0
TONE_DB, BEEP_DB, NONE_DB = -30.0, -10.0, -90.0
COLORS = {"red": (250, 5, 5), "lime": (5, 250, 5), "yellow": (250, 250, 5), "blue": (5, 5, 250)}
COLORS |= {"white": (250, 250, 250), "black": (0, 0, 0)}


def painted(at_s: float, *, second: int, flash: bool, pulse: bool) -> Frame:
    """Return the small copy of a picture as `recipes.marks` draws it."""
    pixels = bytearray(b"\x46" * picture.FRAME_BYTES)

    def box(x: float, y: float, width: float, height: float, color: str) -> None:
        for row in range(int(y * GRID_HEIGHT), round((y + height) * GRID_HEIGHT)):
            for column in range(int(x * GRID_WIDTH), round((x + width) * GRID_WIDTH)):
                at = (row * GRID_WIDTH + column) * 3
                pixels[at : at + 3] = bytes(COLORS[color])

    for place, color in zip(((0, 0), (7 / 8, 0), (7 / 8, 7 / 8), (0, 7 / 8)), picture.CORNERS, strict=True):
        box(*place, 1 / 8, 1 / 8, color)
    box(1 / 16, 3 / 8, 1 / 8, 1 / 4, "white")
    box(13 / 16, 3 / 8, 1 / 8, 1 / 4, "white" if pulse else "black")
    box(3 / 8, 1 / 4, 1 / 4, 1 / 4, "white" if flash else "black")
    for bit in range(picture.CLOCK_BITS):
        box((4 + bit) / 16, 9 / 16, 1 / 16, 1 / 8, "white" if second >> bit & 1 else "black")
    return Frame(at_s, bytes(pixels))


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
        segment.__dict__["probed"] = Probed(sound, pictures, 320, 180)
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


def repainted(change: Callable[[int, bytes], bytes]) -> Decoded:
    """Return pictures and sound with other pixels, by the number of the picture."""
    part = decoded()
    frames = [replace(frame, pixels=change(n, frame.pixels)) for n, frame in enumerate(part.frames)]
    return Decoded(frames, part.levels)


FIRST = decoded().frames[1].pixels
# All the same but for the noise of an encoder.
STILL = repainted(lambda n, _: bytes(min(255, value + 9 * (n % 2)) for value in FIRST))
# As HDR is that was not tone-mapped.
PALE = repainted(lambda _, pixels: bytes(90 + value // 4 for value in pixels))
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
    (PALE, {"vivid": True}, "the corners are gray"),
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
    assert judged(PALE).is_right


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


def test_sound_is_as_long_as_all_its_packets_and_as_their_span():
    # Many packets a tick apart are too much sound; a hole is too little.
    assert sound_off_s(Probed(tuple(Packet(10 + n / 90_000, 0.021) for n in range(1_500))), 2.0) > 29
    assert sound_off_s(Probed((Packet(0.0, 0.02), Packet(1.98, 0.02))), 2.0) < -1.9


VARIANT = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=320x180\ntiny.m3u8\n'


@pytest.mark.parametrize(
    ("multivariant", "newest", "faults"),
    [
        (VARIANT, ("h264", 320, "aac"), []),
        (VARIANT, ("hevc", 160, "ac3"), ["160x90", "hevc", "ac3"]),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000\ntiny.m3u8\n", ("h264", 320, "aac"), ["320x180", "h264", "aac"]),
        ("#EXTM3U\n", ("h264", 320, "aac"), ["variant"]),
    ],
)
def test_a_broken_promise_of_the_multivariant_playlist_is_found(multivariant, newest, faults):
    video, width, audio = newest
    segment = Probed(width=width, height=width * 9 // 16, codecs=(video, audio))
    assert [fault.rpartition(" ")[2] for fault in broken_promises(multivariant, segment)] == faults
