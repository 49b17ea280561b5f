"""What one run is asked to make, and where its segments begin."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.ingest import Ingest, IngestMode
from chalicelib.domain.streams import Stream
from worker.config import WorkerConfig
from worker.driver import SEAM_S, Driver
from worker.encoding.copying import Cut
from worker.encoding.standing_in import AUDIO_BPS, HEIGHT, VIDEO_BPS, WIDTH
from worker.limits import bounded
from worker.python import python_argv
from worker.source_info import PATTERN, SLATE_SOURCE, SourceInfo
from worker.supervision import Supervision
from worker.transcoding import hls
from worker.transcoding.plan import EncodedRendition, TranscodePlan, Work, transcoder_argv

HD = [
    EncodedRendition(name="720p", width=1280, height=720, video_bps=2_800_000, audio_bps=128_000),
    EncodedRendition(name="480p", width=854, height=480, video_bps=1_200_000, audio_bps=96_000),
]
PLAN = TranscodePlan(
    work=Work.ENCODE,
    renditions=HD,
    directory=Path("/scratch/stream-1/7-2"),
    name="7-2",
    segment_s=4,
    cut_s=3.0,
    offset_s=12.5,
    rate=Fraction(24000, 1001),
    frozen_after_s=30,
)
STREAM = Stream(
    stream_id="stream-1", title="t", ingest=Ingest(mode=IngestMode.TEST), abr_profile="hd", segment_seconds=4
)
CONFIG = WorkerConfig(
    worker_id="w1", capacity=1, media_dir=Path("/media"), work_dir=Path("/scratch"), ffmpeg_environ={}
)
SOURCE = SourceInfo(rate=Fraction(24000, 1001), video_codec="h264", audio_codec="aac")


@pytest.mark.parametrize("work", Work)
def test_a_plan_survives_the_way_to_its_process(work: Work) -> None:
    plan = replace(PLAN, work=work)
    assert TranscodePlan.decoded(plan.encoded()) == plan


def test_a_run_is_a_bounded_process_with_its_plan_as_the_last_argument() -> None:
    argv = transcoder_argv(PLAN)
    assert argv == [*bounded(python_argv("worker.transcoding")), PLAN.encoded()]
    assert json.loads(argv[-1])["name"] == "7-2"


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(30), Fraction(10), Fraction(15, 2)])
@pytest.mark.parametrize("segment_s", [1, 2, 4, 10])
def test_segments_begin_at_equal_times_and_the_first_one_is_shorter(rate: Fraction, segment_s: int) -> None:
    plan = replace(PLAN, rate=rate, segment_s=segment_s)
    places = [number for number in range(round(rate * segment_s * 5)) if plan.is_keyframe(number)]
    at_s = [float(number / rate) for number in places]
    picture_s = float(1 / rate)
    assert places[0] == 0
    for nth, begins_s in enumerate(at_s[1:]):
        due_s = (0.75 + nth) * segment_s
        assert due_s - 1e-6 <= begins_s < due_s + picture_s
    assert len(at_s) == 5 or len(at_s) == 6
    # The encoder makes none by itself between them.
    assert max(after - before for before, after in pairwise(places)) < plan.keyframe_interval


@pytest.mark.parametrize(
    ("rate", "segment_s", "interval"), [(Fraction(24000, 1001), 4, 192), (Fraction(25), 2, 100), (Fraction(10), 1, 20)]
)
def test_the_encoder_is_left_no_keyframes_of_its_own(rate: Fraction, segment_s: int, interval: int) -> None:
    assert replace(PLAN, rate=rate, segment_s=segment_s).keyframe_interval == interval


def plan_of(stream: Stream, source: SourceInfo, cut: Cut | None = None, clock_s: float = 0.0) -> TranscodePlan:
    driver = Driver(CONFIG, Supervision(2), 7, cast(Any, None))
    driver.runs, driver._clock_s = 2, clock_s
    return driver._plan(stream, source, cut)


def test_the_plan_of_an_encoded_run() -> None:
    plan = plan_of(replace(STREAM, frozen_after_s=30), SOURCE, clock_s=12.5 - SEAM_S)
    assert plan == replace(PLAN, directory=Path("/scratch/w1/stream-1/7/7-2"))


@pytest.mark.parametrize(
    ("source", "work"), [(SOURCE, Work.ENCODE), (PATTERN, Work.PATTERN), (SLATE_SOURCE, Work.SLATE)]
)
def test_a_run_does_what_its_source_needs(source: SourceInfo, work: Work) -> None:
    plan = plan_of(STREAM, source)
    assert (plan.work, plan.rate, plan.offset_s) == (work, source.rate, 0.0)


def test_the_plan_of_a_copied_run_cuts_as_it_was_measured() -> None:
    plan = plan_of(replace(STREAM, abr_profile="source"), SOURCE, Cut(every_s=1.45, target_s=4))
    assert (plan.work, plan.cut_s) == (Work.COPY, 1.45)
    assert plan.renditions == [EncodedRendition(name="source")]


def test_the_slate_of_a_copied_stream_has_figures_to_encode_with() -> None:
    (rendition,) = plan_of(replace(STREAM, abr_profile="source"), SLATE_SOURCE).renditions
    assert rendition == EncodedRendition(
        name="source", width=WIDTH, height=HEIGHT, video_bps=VIDEO_BPS, audio_bps=AUDIO_BPS
    )


def opened(plan: TranscodePlan, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, str]]:
    """Return where the muxer of a run writes, and its options."""
    found: list[tuple[str, dict[str, str]]] = []

    def keep(url: str, mode: str, format: str, options: dict[str, str]) -> None:
        assert (mode, format) == ("w", "hls")
        found.append((url, options))

    monkeypatch.setattr(hls, "av", SimpleNamespace(open=keep))
    hls.open_output(plan, "v:0,a:0,name:720p")
    return found[0]


def test_the_muxer_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    url, options = opened(PLAN, monkeypatch)
    assert url == "/scratch/stream-1/7-2/%v/index.m3u8"
    assert options == {
        "output_ts_offset": "12.500",
        "hls_time": "3.0",
        "hls_list_size": "30",
        "hls_segment_type": "mpegts",
        "hls_segment_options": "mpegts_flags=+initial_discontinuity",
        "hls_flags": "independent_segments+program_date_time+temp_file+omit_endlist",
        "var_stream_map": "v:0,a:0,name:720p",
        "hls_segment_filename": "/scratch/stream-1/7-2/%v/7-2-%06d.ts",
    }


@pytest.mark.parametrize(("days", "offset"), [(1, "86400.000"), (2, "77356.282")])
def test_the_time_stamps_wrap_where_mpeg_ts_does(days: int, offset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, options = opened(replace(PLAN, offset_s=days * 24 * 3600.0), monkeypatch)
    assert options["output_ts_offset"] == offset


def test_every_rendition_has_its_size_and_bitrates(tmp_path: Path) -> None:
    encoder = hls.LadderEncoder(replace(PLAN, directory=tmp_path))
    try:
        for rendition, video, audio in zip(HD, encoder._videos, encoder._audios, strict=True):
            assert (video.width, video.height) == (rendition.width, rendition.height)
            assert (video.bit_rate, audio.bit_rate) == (rendition.video_bps, rendition.audio_bps)
            options = video.codec_context.options
            assert options["maxrate"] == options["bufsize"] == str(rendition.video_bps)
            assert options["sc_threshold"] == "0"
            assert (video.codec_context.gop_size, video.codec_context.framerate) == (192, PLAN.rate)
            assert (audio.sample_rate, audio.layout.name) == (48_000, "stereo")
    finally:
        encoder._output.close()
