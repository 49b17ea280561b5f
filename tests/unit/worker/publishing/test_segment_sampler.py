"""The inspection of published segments. The picture of copied streams is not decoded."""

import io
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.error import FFmpegError

from chalicelib.domain.streams.ladders import ABR_PROFILES
from tests.fakes.simple import SetClock
from tests.fakes.streams.media import MemoryMedia
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.unit.worker.publishing.owner import Owner
from worker import checking, claims
from worker.checking import inspect_segment
from worker.publishing.publication import Publication


def segment(*, with_sound: bool = True) -> bytes:
    """Return a second of a moving picture, with sound."""
    body = io.BytesIO()
    with av.open(body, "w", "mpegts") as container:
        video = container.add_stream("mpeg2video", 25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("aac", 48_000, layout="mono") if with_sound else None
        for n in range(25):
            picture = av.VideoFrame(64, 48, "yuv420p")
            for plane in picture.planes:
                plane.update(bytes([100 + 50 * (n % 2)]) * plane.buffer_size)
            picture.pts, picture.time_base = n, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if audio:
            for n in range(46):
                sound = av.AudioFrame("fltp", "mono", 1_024)
                sound.planes[0].update(bytes(sound.planes[0].buffer_size))
                sound.sample_rate, sound.pts, sound.time_base = 48_000, n * 1_024, Fraction(1, 48_000)
                container.mux(audio.encode(sound))
            container.mux(audio.encode(None))
    return body.getvalue()


def test_the_picture_is_not_decoded_where_only_the_sound_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    both = inspect_segment(segment())
    assert both["moves"] and not both["dark"] and both["has_sound"]
    monkeypatch.setattr(checking, "sample_points", None)
    sound = inspect_segment(segment(), with_picture=False)
    assert sound == both
    silent = inspect_segment(segment(with_sound=False), with_picture=False)
    assert (silent["has_sound"], silent["moves"], silent["dark"]) == (False, True, False)


def test_too_large_pictures_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    body = segment()
    monkeypatch.setattr(checking, "PIXELS_MAX", 64 * 47)
    with pytest.raises(FFmpegError):
        inspect_segment(body)


@pytest.mark.parametrize(("profile", "options"), [("source", ["--sound"]), ("sd", [])])
def test_copied_streams_are_inspected_for_their_sound_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str, options: list[str]
) -> None:
    media, clock = MemoryMedia(), SetClock()
    channel = Owner(media, tmp_path, 1, renditions=ABR_PROFILES[profile]).channel
    held_claim = claims.claim_stream(MemoryRuntimes(), clock, "stream-1", "w1")
    assert held_claim
    sampler = Publication(media, clock, channel, held_claim, 60, {}, lambda: None).sampler
    asked: list[Any] = []

    def run(argv: list[str], **_: Any) -> Any:
        asked.append(argv)
        return subprocess.CompletedProcess(argv, 0, b"{}")

    monkeypatch.setattr(subprocess, "run", run)
    sampler._look(b"", 1, 1.0)
    assert [each for each in asked[0] if each.startswith("--sound")] == options


def test_the_option_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["checking", "--sound"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(segment())))
    monkeypatch.setattr(checking, "set_up_program", lambda *_: None)
    monkeypatch.setattr(checking, "sample_points", None)
    assert checking.main() == 0
    assert json.loads(capsys.readouterr().out)["has_sound"]
