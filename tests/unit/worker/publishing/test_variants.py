from datetime import UTC, datetime

import m3u8
import pytest

from worker.processes.limits import limit_argv
from worker.publishing.playlists.media_playlist import Entry, epoch_of
from worker.publishing.playlists.multivariant_file import render_multivariant, rendition_names
from worker.publishing.playlists.variants import MediaInfo, Rates, Variant, declare, measure_rates, peak_bps
from worker.publishing.probe import media_info_of, probe_argv

AT = datetime(2026, 1, 1, tzinfo=UTC)
MEDIA_INFO = MediaInfo(width=1280, height=720, fps=30000 / 1001, codecs="avc1.64001F,mp4a.40.2")


def window(*segments: tuple[float, int | None]) -> list[Entry]:
    return [Entry(f"{n}.ts", seconds, AT, bitrate_kbps=kbps) for n, (seconds, kbps) in enumerate(segments)]


@pytest.mark.parametrize(
    ("segments", "target_s", "peak"),
    [
        ([(2, 1000), (2, 1500), (2, 900)], 2, 1_500_000),
        # Half a target is long enough for a separate set. A shorter one counts with its neighbours.
        ([(2, 1000), (1, 3000)], 2, 3_000_000),
        ([(2, 1000), (0.5, 3000)], 2, 1_400_000),
        ([(0.5, 3000), (2, 1000)], 2, 1_400_000),
        # Under a target of 4 s, three segments of 2 s are a set as well.
        ([(2, 1000), (2, 2000), (2, 3000)], 4, 3_000_000),
        ([(1, 1000), (1, 3000), (1, 2000)], 4, 2_500_000),
        # An unknown one is between them.
        ([(1, 3000), (1, None), (1, 1000)], 4, None),
        ([(0.5, 9000)], 2, None),
    ],
)
def test_the_peak_is_of_sets_as_long_as_the_target(
    segments: list[tuple[float, int | None]], target_s: int, peak: int | None
) -> None:
    assert peak_bps(window(*segments), target_s) == peak


def test_the_average_weighs_by_time_and_the_peak_is_never_below_it() -> None:
    assert measure_rates(window((2, 1000), (1, 4000)), 2) == Rates(peak_bps=4_000_000, average_bps=2_000_000)
    assert measure_rates(window((0.5, 9000)), 2) == Rates(peak_bps=9_000_000, average_bps=9_000_000)
    assert measure_rates(window((2, None)), 2) is None


def test_a_bandwidth_changes_only_when_it_is_wrong() -> None:
    first = declare(None, Rates(peak_bps=1_000_000, average_bps=900_000))
    assert first == Rates(peak_bps=1_050_000, average_bps=900_000)
    for right in (1_050_000, 975_000):
        assert declare(first, Rates(peak_bps=right, average_bps=880_000)) == first
    assert declare(first, Rates(peak_bps=1_050_001, average_bps=900_000)).peak_bps == 1_102_502
    assert declare(first, Rates(peak_bps=960_000, average_bps=900_000)).peak_bps == 1_008_000
    assert declare(first, Rates(peak_bps=1_000_000, average_bps=700_000)).average_bps == 700_000


def test_the_playlist_of_playlists_says_what_is_known() -> None:
    rates = Rates(peak_bps=3_000_000, average_bps=2_500_000)
    variants = [
        Variant(name="720p", media_info=MEDIA_INFO, declared=rates),
        Variant(name="480p", media_info=None, declared=rates),
    ]
    body = render_multivariant(variants, 9)
    assert body.decode().splitlines() == [
        "#EXTM3U",
        "#TOLLCAST-EPOCH:9",
        "#EXT-X-VERSION:6",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-STREAM-INF:BANDWIDTH=3000000,AVERAGE-BANDWIDTH=2500000,RESOLUTION=1280x720,FRAME-RATE=29.970,"
        'CODECS="avc1.64001F,mp4a.40.2"',
        "720p/index.m3u8",
        "#EXT-X-STREAM-INF:BANDWIDTH=3000000,AVERAGE-BANDWIDTH=2500000",
        "480p/index.m3u8",
    ]
    assert epoch_of(body) == 9 and rendition_names(body) == ("720p", "480p")
    assert m3u8.loads(body.decode()).playlists[0].stream_info.codecs == MEDIA_INFO.codecs


@pytest.mark.parametrize("body", [b"", b"\xff", b"junk", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=x\na/index.m3u8\n"])
def test_an_unreadable_stored_one_names_nothing(body: bytes) -> None:
    assert rendition_names(body) == ()


VIDEO = {
    "codec_type": "video",
    "codec_name": "h264",
    "width": 320,
    "height": 180,
    "avg_frame_rate": "30000/1001",
    "r_frame_rate": "60/1",
    "extradata": "\n00000000: 0000 0167 6400 0dac d941 419f 9f01 1000  ...gd....AA.....\n00000010: 003e          .>\n",
}
AUDIO = {"codec_type": "audio", "codec_name": "aac", "profile": "LC"}


def test_what_ffprobe_says_in_the_words_of_a_playlist() -> None:
    media_info = media_info_of([AUDIO, VIDEO])
    assert media_info == MediaInfo(width=320, height=180, fps=29.97, codecs="avc1.64000D,mp4a.40.2")
    assert media_info_of([VIDEO, {**AUDIO, "profile": "HE-AAC"}]) == MediaInfo(
        width=320, height=180, fps=29.97, codecs="avc1.64000D,mp4a.40.5"
    )
    alone = media_info_of([{**VIDEO, "avg_frame_rate": "0/0"}])
    assert alone == MediaInfo(width=320, height=180, fps=60.0, codecs="avc1.64000D")


@pytest.mark.parametrize(
    ("transfer", "named"), [("smpte2084", "VIDEO-RANGE=PQ"), ("arib-std-b67", "VIDEO-RANGE=HLG"), ("bt709", "")]
)
def test_a_picture_with_another_range_says_so(transfer: str, named: str) -> None:
    variant = Variant(
        name="source",
        media_info=media_info_of([{**VIDEO, "color_transfer": transfer}]),
        declared=Rates(peak_bps=2, average_bps=1),
    )
    line = render_multivariant([variant], 1).decode().splitlines()[4]
    assert line.endswith(f'CODECS="avc1.64000D"{named and "," + named}')


@pytest.mark.parametrize(
    "streams",
    [
        [],
        [AUDIO],
        [{**VIDEO, "codec_name": "av1"}],
        [{**VIDEO, "extradata": "\n"}],
        [{**VIDEO, "width": 0}],
        [{**VIDEO, "avg_frame_rate": "0/0", "r_frame_rate": "0/0"}],
        [VIDEO, {**AUDIO, "profile": "unknown"}],
        [VIDEO, {**AUDIO, "codec_name": "mp3"}],
    ],
)
def test_half_a_truth_is_none(streams: list[dict[str, object]]) -> None:
    assert media_info_of(streams) is None


def test_a_strangers_segment_is_looked_at_within_limits() -> None:
    assert probe_argv()[: probe_argv().index("ffprobe")] == limit_argv([])
