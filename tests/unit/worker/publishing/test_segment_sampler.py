import io
import json
import subprocess
import sys
from typing import Any

import pytest
from av.error import FFmpegError

from chalicelib.domain.streams.ladders import ABR_PROFILES
from tests.fakes.simple import SetClock
from tests.unit.worker.clips import clip, gray, silence
from tests.unit.worker.parts import hold
from tests.unit.worker.publishing.owner import Owner
from worker import checking
from worker.checking import inspect_segment
from worker.publishing.publication import Publication


def segment(lumas: list[int], *fills: int) -> bytes:
    """Return a second of pictures, and of sound if it is given."""
    pictures = [gray(lumas[n % 2], (64, 48), n) for n in range(25)]
    sounds = [silence(n * 1_024, fill=fills[n % 2]) for n in range(46)] if fills else []
    return clip("mpegts", [*pictures, *sounds], ("mpeg2video", {}), "aac" if fills else "")


SEGMENT, DULL, SILENT = segment([100, 150], 0, 60), segment([16, 16], 0, 0), segment([100, 150])


def test_a_look_into_a_segment_finds_what_it_holds() -> None:
    lively, dull = inspect_segment(SEGMENT), inspect_segment(DULL)
    assert (lively["moves"], lively["dark"], dull["moves"], dull["dark"]) == (True, False, False, True)
    assert lively["peak"] > 100 and dull["peak"] < 10
    assert all(each["has_sound"] and each["sound_s"] == pytest.approx(1, abs=0.05) for each in (lively, dull))


def test_the_picture_is_not_decoded_where_only_the_sound_is_judged(monkeypatch, capsys) -> None:
    both = inspect_segment(SEGMENT)
    monkeypatch.setattr(checking, "sample_points", None)
    assert inspect_segment(SEGMENT, with_picture=False) == both
    silent = inspect_segment(SILENT, with_picture=False)
    assert (silent["has_sound"], silent["moves"], silent["dark"]) == (False, True, False)
    # The option is read.
    monkeypatch.setattr(sys, "argv", ["checking", "--sound"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SEGMENT)))
    monkeypatch.setattr(checking, "set_up_program", lambda *_: None)
    assert checking.main() == 0 and json.loads(capsys.readouterr().out) == both


def test_too_large_pictures_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PIXELS_MAX", 64 * 47)
    with pytest.raises(FFmpegError):
        inspect_segment(SEGMENT)


@pytest.mark.parametrize(("profile", "options"), [("source", ["--sound"]), ("sd", [])])
def test_copied_streams_are_inspected_for_their_sound_alone(bucket, tmp_path, monkeypatch, profile, options) -> None:
    clock, asked = SetClock(), []
    channel = Owner(bucket, tmp_path, 1, renditions=ABR_PROFILES[profile]).channel
    sampler = Publication(bucket, clock, channel, hold(clock), 60, {}, lambda: None).sampler

    def run(argv: list[str], **_: Any) -> Any:
        asked.append([each for each in argv if each.startswith("--sound")])
        return subprocess.CompletedProcess(argv, 0, b"{}")

    monkeypatch.setattr(subprocess, "run", run)
    sampler._look(b"", 1, 1.0)
    assert asked[0] == options
