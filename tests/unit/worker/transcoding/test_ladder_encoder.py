from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import pytest
from av.video.reformatter import ColorRange

from worker.transcoding import ladder_encoder
from worker.transcoding.ladder_encoder import LadderEncoder, open_output
from worker.transcoding.plan import EncodedRendition, TranscodePlan, Work

HD = [
    EncodedRendition(name="720p", width=1280, height=720, video_bps=2_800_000, audio_bps=128_000),
    EncodedRendition(name="480p", width=854, height=480, video_bps=1_200_000, audio_bps=96_000),
]
TIMES = {"segment_s": 4, "cut_s": 3.0, "offset_s": 12.5, "rate": Fraction(24000, 1001)}
PLAN = TranscodePlan(work=Work.ENCODE, renditions=HD, directory=Path("/scratch/stream-1/7-2"), name="7-2", **TIMES)


def test_the_options_of_the_muxer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder_encoder, "av", SimpleNamespace(open=lambda *given, **named: (given, named)))
    given, named = open_output(PLAN, "v:0,a:0,name:720p")
    assert given == ("/scratch/stream-1/7-2/%v/index.m3u8", "w") and named["format"] == "hls"
    assert named["options"] == {
        "output_ts_offset": "12.500",
        "hls_time": "3.0",
        "hls_list_size": "30",
        "hls_segment_type": "mpegts",
        "hls_segment_options": "mpegts_flags=+initial_discontinuity",
        "hls_flags": "independent_segments+program_date_time+temp_file+omit_endlist",
        "var_stream_map": "v:0,a:0,name:720p",
        "hls_segment_filename": "/scratch/stream-1/7-2/%v/7-2-%06d.ts",
    }
    # The time stamps wrap where MPEG-TS does.
    for days, offset in ((0, "0.000"), (1, "86400.000"), (2, "77356.282")):
        _, named = open_output(replace(PLAN, offset_s=days * 24 * 3600.0), "")
        assert named["options"]["output_ts_offset"] == offset


@pytest.fixture
def encoder(tmp_path: Path) -> Iterator[LadderEncoder]:
    made = LadderEncoder(replace(PLAN, directory=tmp_path))
    yield made
    made._output.close()


def test_every_rendition_has_its_size_bitrates_and_colours(encoder: LadderEncoder) -> None:
    for rendition, video, audio in zip(HD, encoder._videos, encoder._audios, strict=True):
        assert (video.width, video.height, video.pix_fmt) == (rendition.width, rendition.height, "yuv420p")
        assert (video.bit_rate, audio.bit_rate) == (rendition.video_bps, rendition.audio_bps)
        options = video.codec_context.options
        assert options["maxrate"] == options["bufsize"] == str(rendition.video_bps)
        assert (audio.rate, audio.layout.name, audio.codec_context.name) == (48_000, "stereo", "aac")
        # It makes no keyframes but those of segments.
        assert video.codec_context.options["sc_threshold"] == "0"
        assert (video.codec_context.gop_size, video.codec_context.framerate) == (192, PLAN.rate)
    # The encoded pictures say what their colours are.
    pictures = [av.VideoFrame(each.width, each.height, "yuv420p") for each in HD]
    for picture in pictures:
        picture.colorspace, picture.color_primaries, picture.color_trc = 6, 5, 1
    for rendition in HD:
        (encoder._plan.directory / rendition.name).mkdir()
    encoder.add_pictures(0, pictures)
    for video in encoder._videos:
        codec = video.codec_context
        found = (codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range)
        assert found == (6, 5, 1, ColorRange.MPEG)


@pytest.mark.parametrize(("rate", "b_frames"), [(10, "0"), (14, "0"), (15, None), (30, None)])
def test_slow_pictures_have_no_b_frames(tmp_path: Path, rate: int, b_frames: str | None) -> None:
    encoder = LadderEncoder(replace(PLAN, directory=tmp_path, rate=Fraction(rate)))
    assert [video.codec_context.options.get("bf") for video in encoder._videos] == [b_frames, b_frames]
    encoder._output.close()
