"""The measures of `tests.media` on real output of ffmpeg: a clean input is right, and each fault is found."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.media.inputs.making import make
from tests.media.inputs.model import Expect, Feed, Input
from tests.media.inputs.recipes import clip, picture, tone
from tests.media.inputs.table import BY_NAME
from tests.media.judging.judge import judge
from tests.media.judging.segments import Segment, named_by

ENCODED = "-c:v libx264 -preset ultrafast -c:a aac -force_key_frames expr:gte(t,n_forced*2)"
STEADY = Expect(seconds_min=7)


def item(name: str, *make: str) -> Input:
    return Input(name=name, about="An input", make=make, entry="in.ts", feed=Feed.FILE, expect=STEADY, turn_s=8)


SQUEEZED = "vflip,hflip,scale=180:180,setsar=1,loop=75:1:50"
CLEAN = item("clean", clip("in.ts", 8))
SILENT_AT_LAST = clip("in.ts", 8, audio=tone(880, seconds="5"), encode="-af adelay=400:all=1,apad")
BROKEN = [
    (("silence", "Hz, should have 440", "after the flash"), item("sound", SILENT_AT_LAST)),
    (("is frozen", "corners", "shown as"), item("picture", clip("in.ts", 8, video=picture(then=SQUEEZED)))),
]


def published(item: Input, cache: Path, directory: Path, more: str = "") -> list[Segment]:
    """Encode an input into segments of 2 s, like a ladder."""
    made = make(item, cache) / item.entry
    argv = f"ffmpeg -v error -y -i {made} {more or ENCODED} -f hls -hls_time 2 -hls_list_size 0 {directory}/live.m3u8"
    subprocess.run(shlex.split(argv), check=True, timeout=60)
    return named_by(directory / "live.m3u8")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inputs")


def test_a_clean_input_is_right_and_a_missing_segment_is_found(cache, tmp_path):
    segments = published(CLEAN, cache, tmp_path)
    result = judge(CLEAN, segments)
    assert result.is_right, result.faults
    assert 7.9 < result.worth_s < 8.1
    fault = "; ".join(judge(CLEAN, [segments[0], *segments[2:]]).faults)
    assert "sound break off between segments by +2.0" in fault and "pictures break off" in fault


@pytest.mark.parametrize(("words", "broken"), BROKEN)
def test_faults_are_found(words, broken, cache, tmp_path):
    faults = "; ".join(judge(broken, published(broken, cache, tmp_path)).faults)
    assert [word for word in words if word not in faults] == [], faults


def test_a_hole_in_the_sound_is_found(cache, tmp_path):
    hole = item("hole", clip("clean.ts", 8), "cut clean.ts in.ts sound first=3 last=5")
    result = judge(hole, published(hole, cache, tmp_path, "-c copy"))
    assert any(fault.startswith("the sound of") for fault in result.faults), result


def test_combs_are_found_and_whole_pictures_are_not(cache, tmp_path):
    combed = replace(BY_NAME["interlaced-tff"], expect=Expect(progressive=True, shape=(5, 4), seconds_min=7))
    assert "have combs" in "; ".join(judge(combed, published(combed, cache, tmp_path)).faults)
    repaired = published(combed, cache, tmp_path, f"{ENCODED} -vf bwdif")
    assert judge(combed, repaired).is_right


@pytest.mark.parametrize(
    ("bwdif", "fault"),
    [
        ("bwdif", None),
        ("bwdif=send_frame", "the picture moves 24.5"),
        # Top field first, which it is not.
        ("bwdif=send_field:tff", "times back"),
    ],
)
def test_each_field_once_and_in_order_is_what_full_rate_means(bwdif, fault, cache, tmp_path):
    fields = BY_NAME["interlaced-full-rate"]
    wanted = replace(fields, expect=replace(fields.expect, seconds_min=7, pictures_per_s=None))
    faults = judge(wanted, published(wanted, cache, tmp_path, f"{ENCODED} -vf {bwdif}")).faults
    assert faults == () if fault is None else fault in "; ".join(faults), faults
