from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

from worker.media.messages import VIDEO, PacketMessage
from worker.transcoding import encoding_run
from worker.transcoding.copying_run import CopyingRun
from worker.transcoding.encoding_run import EncodingRun
from worker.transcoding.plan import EncodedRendition, TranscodePlan, Work
from worker.transcoding.repairs import RunRepairs
from worker.transcoding.slot_clock import PATIENCE_US

TINY = EncodedRendition(name="tiny", width=64, height=36, video_bps=100_000, audio_bps=32_000)


FORMAT = {"decoder": "h264", "extradata": "", "tag": "", "bits": 0, "pix_fmt": "yuv420p"}
TRACK = {**FORMAT, "palette": "", "width": 64, "height": 36, "rotation": 0}


@pytest.fixture
def plan(tmp_path: Path) -> TranscodePlan:
    """Return a plan of 50 pictures a second."""
    (tmp_path / "tiny").mkdir()
    times = {"segment_s": 1, "cut_s": 0.75, "offset_s": 0.0, "rate": Fraction(50)}
    return TranscodePlan(work=Work.ENCODE, renditions=[TINY], directory=tmp_path, name="1-1", **times)


# A whole picture of an interlaced source lasts as long as its two fields would.
@pytest.mark.parametrize(
    ("fields", "interval_us", "repeated"),
    [(True, 40_000, 0), (True, 20_000, 0), (True, 80_000, 2 * 9), (False, 20_000, 0), (False, 40_000, 9)],
)
def test_a_picture_is_repeated_where_it_lasts_longer_than_it_should(plan, fields, interval_us, repeated) -> None:
    repairs = RunRepairs()
    run = EncodingRun(replace(plan, fields=fields), repairs)
    for number in range(10):
        run._add_picture(interval_us * number, [av.VideoFrame(64, 36, "yuv420p")])
        run.advance(0.0)
    assert repairs.pictures_repeated == repeated
    run.close()


def test_sound_and_picture_that_begin_anew_restart_the_measurement_of_their_drift(plan) -> None:
    run, restarts = EncodingRun(plan, RunRepairs()), []
    run._sound = SimpleNamespace(restart_drift=lambda: restarts.append(1))  # type: ignore[assignment]
    described = {"video": TRACK, "audio": None}
    for _ in range(2):
        run.tracks(described)
    assert len(restarts) == 2


def test_pictures_that_wait_take_no_more_memory_than_is_left(plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding_run, "PICTURES_BYTES_MAX", 5 * 64 * 36 * 3 // 2)
    repairs = RunRepairs()
    run = EncodingRun(plan, repairs)
    for number in range(8):
        run._add_picture(20_000 * number, [av.VideoFrame(64, 36, "yuv420p")])
    assert len(run._pictures) == 5 and repairs.pictures_dropped == 3
    run.close()


def test_the_largest_ladder_leaves_room_for_sound_that_comes_a_little_late(plan: TranscodePlan) -> None:
    largest = [EncodedRendition(name=f"{n}", width=3_840, height=2_160) for n in range(6)]
    plan = replace(plan, renditions=largest)
    assert encoding_run.PICTURES_BYTES_MAX // plan.picture_bytes > PATIENCE_US / 1e6 * 30


@pytest.mark.parametrize(
    ("every_ms", "begins_us", "first_ms"),
    # Keyframes alone, and one a second; a keyframe is decoded a little before its segment begins.
    [
        *((20, None, 0), (20, 2_000_000, 2_000), (20, 2_009_000, 2_000), (20, 2_011_000, 2_020)),
        *((1_000, 0, 0), (1_000, 2_000_000, 2_000), (1_000, 2_080_000, 2_000), (1_000, 2_200_000, 3_000)),
    ],
)
def test_a_copy_that_replaces_another_begins_at_the_keyframe_where_that_one_ended(
    plan, every_ms, begins_us, first_ms
) -> None:
    run: Any = CopyingRun(replace(plan, begins_us=begins_us), RunRepairs())
    made: list[bytes] = []
    run._output, run._mux = object(), lambda stream, data, *_: made.append(data)
    for at_ms in range(0, 4_000, 20):
        is_keyframe = at_ms % every_ms == 0
        run.packet(PacketMessage(VIDEO, None, at_ms * 1_000, 0, f"{at_ms}".encode(), is_keyframe=is_keyframe), 0)
    assert made[0] == f"{first_ms}".encode()
