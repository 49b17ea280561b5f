from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from chalicelib.domain.ladders import ABR_PROFILES
from worker.encoding.argv import (
    Cut,
    FileSource,
    LiveSource,
    Plan,
    SlateSource,
    Source,
    TestSource,
    ffmpeg_argv,
    ffprobe_argv,
)
from worker.limits import bounded

FILE = FileSource(path=Path("/media/a b;'.mp4"), fps=Fraction(24000, 1001), has_audio=True)
LIVE = LiveSource(fps=Fraction(25), has_audio=True)
PLAN = Plan(
    source=FILE,
    renditions=ABR_PROFILES["hd"],
    segment_seconds=4,
    directory=Path("/scratch/stream-1/7-2"),
    name="7-2",
    offset_s=12.5,
)


def value(argv: list[str], option: str, nth: int = 0) -> str:
    return argv[[index for index, word in enumerate(argv) if word == option][nth] + 1]


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("--pdeathsig", "KILL"),
        ("-progress", "pipe:1"),
        ("-stats_period", "1"),
        ("-sc_threshold", "0"),
        ("-force_key_frames", "expr:gte(t,max(0,n_forced-0.25)*4)"),
        ("-g", "192"),
        ("-hls_time", "3.0"),
        ("-hls_flags", "independent_segments+program_date_time+temp_file+omit_endlist"),
        ("-hls_segment_type", "mpegts"),
        ("-hls_segment_filename", "/scratch/stream-1/7-2/%v/7-2-%06d.ts"),
        ("-var_stream_map", "v:0,a:0,name:720p v:1,a:1,name:480p"),
        ("-output_ts_offset", "12.500"),
        ("-b:v:0", "2800000"),
        ("-maxrate:v:1", "1200000"),
        ("-b:a:1", "96000"),
        ("-stream_loop", "-1"),
        ("-i", "file:/media/a b;'.mp4"),
        ("-protocol_whitelist", "file"),
    ],
)
def test_the_options_of_a_looped_file(option: str, expected: str) -> None:
    assert value(ffmpeg_argv(PLAN), option) == expected


def test_it_asks_nothing_and_reads_in_real_time() -> None:
    argv = ffmpeg_argv(PLAN)
    assert argv[: argv.index("ffmpeg")] == bounded([])
    assert {"-nostdin", "-nostats", "-re"} <= set(argv)
    assert argv[-1] == "/scratch/stream-1/7-2/%v/index.m3u8"
    assert argv.index("-re") < argv.index("-stream_loop") < argv.index("-i")


def test_playlists_and_scripts_are_no_files_to_loop() -> None:
    formats = value(ffmpeg_argv(PLAN), "-format_whitelist").split(",")
    assert "mov" in formats and "matroska" in formats
    assert not {"hls", "concat", "applehttp", "dash", "lavfi", "image2", "sdp"} & set(formats)
    assert value(ffprobe_argv(FILE.path), "-format_whitelist").split(",") == formats


@pytest.mark.parametrize(
    ("source", "inputs", "audio"),
    [
        (FILE, 1, "[0:a:0]"),
        (replace(FILE, has_audio=False), 2, "[1:a:0]"),
        (TestSource(font=None), 2, "[1:a:0]"),
        (SlateSource(font=None), 2, "[1:a:0]"),
        (LIVE, 1, "[0:a:0]"),
        (replace(LIVE, has_audio=False), 2, "[1:a:0]"),
    ],
)
def test_there_is_always_sound(source: Source, inputs: int, audio: str) -> None:
    argv = ffmpeg_argv(replace(PLAN, source=source))
    # What is live comes at its own pace.
    assert argv.count("-i") == argv.count("-re") + isinstance(source, LiveSource) == inputs
    assert audio in value(argv, "-filter_complex")
    assert argv.count("-map") == 4


def test_silence_is_added_to_a_silent_file_only() -> None:
    assert "anullsrc" in value(ffmpeg_argv(replace(PLAN, source=replace(FILE, has_audio=False))), "-i", 1)
    assert "sine" in value(ffmpeg_argv(replace(PLAN, source=TestSource(font=None))), "-i", 1)


def test_every_rendition_is_fitted_and_padded() -> None:
    filters = value(ffmpeg_argv(PLAN), "-filter_complex")
    assert "fps=24000/1001,split=2[i0][i1]" in filters
    for n, size in enumerate(("1280:720", "854:480")):
        fit = f"[i{n}]scale={size}:force_original_aspect_ratio=decrease:force_divisible_by=2,pad={size}:-1:-1"
        assert fit in filters
    assert filters.count("format=yuv420p") == 2


def test_the_pattern_shows_a_clock_where_there_is_a_font() -> None:
    with_font = value(ffmpeg_argv(replace(PLAN, source=TestSource(font=Path("/f.ttf")))), "-i")
    assert with_font.startswith("testsrc2=size=1280x720:rate=30,drawtext=fontfile=/f.ttf")
    assert "drawtext" not in value(ffmpeg_argv(replace(PLAN, source=TestSource(font=None))), "-i")


def test_a_live_source_is_read_from_the_standard_input_and_can_open_nothing() -> None:
    argv = ffmpeg_argv(replace(PLAN, source=LIVE))
    assert [value(argv, option) for option in ("-i", "-f", "-protocol_whitelist", "-format_whitelist")] == [
        *("pipe:0", "mpegts", "pipe", "mpegts")
    ]
    assert "-re" not in argv and "fps=25,split=2" in value(argv, "-filter_complex")
    assert value(ffprobe_argv(None), "-i") == "pipe:0"


def test_a_live_source_decides_neither_how_much_is_decoded_nor_how_wide_it_is_made() -> None:
    argv = ffmpeg_argv(replace(PLAN, source=LIVE))
    assert value(argv, "-max_pixels") == str(4096 * 2304) and argv.index("-max_pixels") < argv.index("-i")
    assert value(argv, "-filter_complex").startswith(r"[0:v:0]scale=trunc(min(iw*sar\,max(iw\,3840))/2)*2:")
    assert "-max_pixels" not in ffmpeg_argv(PLAN)
    assert "-max_pixels" not in ffmpeg_argv(replace(PLAN, source=LIVE, cut=Cut(every_s=2.0, target_s=2)))


def test_the_slate_has_words_where_there_is_a_font_and_the_size_of_the_ladder() -> None:
    with_font = value(ffmpeg_argv(replace(PLAN, source=SlateSource(font=Path("/f.ttf")))), "-i")
    assert with_font.startswith("color=c=0x202830:size=1280x720:rate=15,drawtext=fontfile=/f.ttf")
    assert "We will be right back" in with_font
    assert "drawtext" not in value(ffmpeg_argv(replace(PLAN, source=SlateSource(font=None))), "-i")


def test_a_small_ladder_has_one_of_everything() -> None:
    argv = ffmpeg_argv(replace(PLAN, renditions=ABR_PROFILES["sd"], source=TestSource(font=None)))
    assert value(argv, "-var_stream_map") == "v:0,a:0,name:480p"
    assert value(argv, "-i").startswith("testsrc2=size=854x480")


def test_the_time_stamps_wrap_where_mpeg_ts_does() -> None:
    day = 24 * 3600.0
    assert value(ffmpeg_argv(replace(PLAN, offset_s=day)), "-output_ts_offset") == "86400.000"
    assert value(ffmpeg_argv(replace(PLAN, offset_s=2 * day)), "-output_ts_offset") == "77356.282"
