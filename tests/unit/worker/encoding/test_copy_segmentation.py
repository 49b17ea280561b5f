import subprocess
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.playlist_size import COPIED_SEGMENT_S_MIN
from chalicelib.domain.streams.stream import Stream
from worker.encoding import copy_segmentation
from worker.encoding.copy_segmentation import LIVE_INTERVAL_S, CopySegmentation, choose_segmentation, plan_copy
from worker.encoding.source_info import PATTERN, SourceInfo, SourceRefused
from worker.processes.limits import limit_argv

INGEST = Ingest(mode=IngestMode.FILE, path="a.mp4")
STREAM = Stream(stream_id="s", title="S", ingest=INGEST, abr_profile="source", segment_seconds=2)
LIVE = SourceInfo(rate=Fraction(25), video_codec="h264", audio_codec="aac")
FILE = replace(LIVE, path=Path("/media/a.mp4"))


CHOSEN = [(2.0, 2, 0.45, 2), (2.002, 2, 0.448, 2), (1.0, 2, 1.45, 2), (0.04, 2, 2, 2)]
CHOSEN += [(4.0, 1, 0.45, 4), (8.3, 2, 1.15, 9), (0.5, 10, 9.95, 10)]


@pytest.mark.parametrize(("interval_s", "segment_seconds", "every_s", "target_s"), CHOSEN)
def test_the_target_follows_from_the_keyframes(interval_s, segment_seconds, every_s, target_s) -> None:
    assert choose_segmentation(interval_s, segment_seconds) == CopySegmentation(every_s=every_s, target_s=target_s)


@given(st.lists(st.floats(0.04, 10.0), min_size=1, max_size=200), st.integers(1, 10))
def test_no_segment_is_longer_than_the_target(intervals: list[float], segment_seconds: int) -> None:
    """Segments are cut as ffmpeg does: at the first keyframe after the n-th multiple."""
    segmentation = choose_segmentation(max(intervals), segment_seconds)
    assert segmentation.target_s >= segment_seconds and segmentation.every_s >= COPIED_SEGMENT_S_MIN
    at_s, cuts = 0.0, [0.0]
    for interval in intervals:
        at_s += interval
        if at_s >= len(cuts) * segmentation.every_s:
            cuts.append(at_s)
    assert all(int(after - before + 0.5) <= segmentation.target_s for before, after in pairwise(cuts))


def test_ffprobes_output_of_keyframes() -> None:
    longest = copy_segmentation.longest_interval_s
    lines = ["0.0|-0.1|K_", "0.5|0.4|__", "1.5|1.4|K_", "2.0|1.9|__", "mov,mp4,m4a|4.25"]
    assert longest(lines) == 2.75
    assert longest(lines[:-1]) == 1.5
    # A file that is longer than what was read of it.
    assert longest([*lines[:-1], "58.0|58.0|K_", "59.9|59.9|__", "matroska,webm|7200.0"]) == 56.5
    assert longest(["N/A|1.0|K__", "N/A|3.0|K__", "junk", "avi|N/A"]) == 2.0
    assert longest(["0.0|0.0|K_|", "1.0|1.0|__", "2.0|2.0|K_|", "mpegts|2.5"]) == 2.0
    assert longest(["1.0|1.0|__"]) is None and longest([]) is None


@pytest.mark.parametrize(
    ("source", "lines", "reason"),
    [
        (PATTERN, [], "nothing to copy"),
        (replace(FILE, audio_codec="aac (own layout)"), [], "has h264 video and aac .own layout. audio"),
        (replace(FILE, video_codec="vp9"), [], "has vp9 video and aac audio; .* needs h264 or hevc video and aac"),
        (replace(FILE, audio_codec="mp3"), [], "h264 video and mp3 audio"),
        (FILE, [], "no keyframe was found in 'a.mp4'"),
        (replace(FILE, video_codec=None), [], "has no video and aac audio"),
        (replace(LIVE, video_codec="av1"), [], "what the source sends has av1 video"),
        (replace(LIVE, rotation=90), [], "has to be turned by 90°: choose a profile that encodes"),
        (FILE, ["0|0|K_", "12.5|12.5|K_"], "keyframes up to 12.5 s apart; a copied stream needs one every 10 s"),
    ],
)
def test_what_cannot_be_copied_is_refused_with_the_reason(source, lines, reason, monkeypatch) -> None:
    monkeypatch.setattr(copy_segmentation, "_read", lambda source, environ: lines)
    with pytest.raises(SourceRefused, match=reason):
        plan_copy(source, STREAM, {})


def test_a_file_is_measured_and_a_live_source_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_segmentation, "_read", lambda path, environ: ["0|0|K_", "4|4|K_", "mpegts|8"])
    for audio_codec, (source, interval_s) in product(("aac", None), ((FILE, 4.0), (LIVE, LIVE_INTERVAL_S))):
        assert plan_copy(replace(source, audio_codec=audio_codec), STREAM, {}) == choose_segmentation(interval_s, 2)
    # Nor is what is encoded.
    assert plan_copy(PATTERN, replace(STREAM, abr_profile="hd"), {}) is None


@pytest.mark.parametrize(
    ("read", "interval_s"), [(None, LIVE_INTERVAL_S), (b"0|0|__\n0", LIVE_INTERVAL_S), (b"0|0|K_\n4|4|K_\n8|", 4.0)]
)
def test_a_file_that_is_not_read_in_time_is_not_refused(
    monkeypatch: pytest.MonkeyPatch, read: bytes | None, interval_s: float
) -> None:
    def run(argv: Sequence[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(argv, 2.0, read)

    monkeypatch.setattr(copy_segmentation.subprocess, "run", run)
    assert plan_copy(FILE, STREAM, {}) == choose_segmentation(interval_s, 2)


def test_playlists_and_scripts_are_no_files_to_loop() -> None:
    """They name further files, which would be opened."""
    argv = copy_segmentation.keyframes_argv(Path("/media/a b;'.mp4"), 60)
    assert argv[: len(limit_argv([]))] == limit_argv([]) and argv[-1] == "file:/media/a b;'.mp4"
    formats = argv[argv.index("-format_whitelist") + 1].split(",")
    assert argv[argv.index("-protocol_whitelist") + 1] == "file"
    assert "mov" in formats and "matroska" in formats
    assert not {"hls", "concat", "applehttp", "dash", "lavfi", "image2", "sdp"} & set(formats)
