from dataclasses import replace
from datetime import UTC, datetime

import m3u8
import pytest

from worker.processes.limits import limit_argv
from worker.publishing.playlists.codec_names import picture_name
from worker.publishing.playlists.media_playlist import Entry, epoch_of
from worker.publishing.playlists.multivariant_file import render_multivariant, rendition_names
from worker.publishing.playlists.variants import MediaInfo, Rates, Variant, declare, measure_rates, peak_bps
from worker.publishing.probe import media_info_of, probe_argv

AT = datetime(2026, 1, 1, tzinfo=UTC)
MEDIA_INFO = MediaInfo(width=1280, height=720, fps=30000 / 1001, codecs="avc1.64001F,mp4a.40.2")


def window(*segments: tuple[float, int | None]) -> list[Entry]:
    return [Entry(f"{n}.ts", seconds, AT, bitrate_kbps=kbps) for n, (seconds, kbps) in enumerate(segments)]


PEAKS = [
    ([(2, 1000), (2, 1500), (2, 900)], 2, 1_500_000),
    # Half a target is long enough for a separate set. A shorter one counts with its neighbours.
    ([(2, 1000), (1, 3000)], 2, 3_000_000),
    ([(2, 1000), (0.5, 3000)], 2, 1_400_000),
    ([(0.5, 3000), (2, 1000)], 2, 1_400_000),
    # Under a target of 4 s, three segments of 2 s are a set as well.
    ([(2, 1000), (2, 2000), (2, 3000)], 4, 3_000_000),
    ([(1, 1000), (1, 3000), (1, 2000)], 4, 2_500_000),
    # An unknown one is between them.
    *(([(1, 3000), (1, None), (1, 1000)], 4, None), ([(0.5, 9000)], 2, None)),
]


def test_the_peak_is_of_sets_as_long_as_the_target_and_never_below_the_average() -> None:
    for segments, target_s, peak in PEAKS:
        assert peak_bps(window(*segments), target_s) == peak, segments
    assert measure_rates(window((2, 1000), (1, 4000)), 2) == Rates(peak_bps=4_000_000, average_bps=2_000_000)
    assert measure_rates(window((0.5, 9000)), 2) == Rates(peak_bps=9_000_000, average_bps=9_000_000)
    assert measure_rates(window((2, None)), 2) is None
    # A bandwidth changes only when it is wrong.
    first = declare(None, Rates(peak_bps=1_000_000, average_bps=900_000))
    assert first == Rates(peak_bps=1_050_000, average_bps=900_000)
    for right in (1_050_000, 975_000):
        assert declare(first, Rates(peak_bps=right, average_bps=880_000)) == first
    assert declare(first, Rates(peak_bps=1_050_001, average_bps=900_000)).peak_bps == 1_102_502
    assert declare(first, Rates(peak_bps=960_000, average_bps=900_000)).peak_bps == 1_008_000
    assert declare(first, Rates(peak_bps=1_000_000, average_bps=700_000)).average_bps == 700_000


def test_the_playlist_of_playlists_says_what_is_known() -> None:
    rates = Rates(peak_bps=3_000_000, average_bps=2_500_000)
    infos = {"720p": MEDIA_INFO, "480p": None}
    body = render_multivariant([Variant(name=n, media_info=i, declared=rates) for n, i in infos.items()], 9)
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
    # An unreadable one names nothing.
    for body in (b"", b"\xff", b"junk", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=x\na/index.m3u8\n"):
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
    known = MediaInfo(width=320, height=180, fps=29.97, codecs="avc1.64000D,mp4a.40.2")
    assert media_info_of([AUDIO, VIDEO]) == known
    other = media_info_of([VIDEO, {**AUDIO, "profile": "HE-AAC"}])
    assert other == replace(known, codecs="avc1.64000D,mp4a.40.5")
    alone = media_info_of([{**VIDEO, "avg_frame_rate": "0/0"}])
    assert alone == replace(known, fps=60.0, codecs="avc1.64000D")
    # A picture with another range says so.
    ranges = {"smpte2084": ",VIDEO-RANGE=PQ", "arib-std-b67": ",VIDEO-RANGE=HLG", "bt709": ""}
    for transfer, named in ranges.items():
        info = media_info_of([{**VIDEO, "color_transfer": transfer}])
        variant = Variant(name="source", media_info=info, declared=Rates(peak_bps=2, average_bps=1))
        line = render_multivariant([variant], 1).decode().splitlines()[4]
        assert line.endswith(f'CODECS="avc1.64000D"{named}')
    # Half a truth is none.
    rates = {"avg_frame_rate": "0/0", "r_frame_rate": "0/0"}
    for change in ({"codec_name": "av1"}, {"extradata": "\n"}, {"width": 0}, rates):
        assert media_info_of([{**VIDEO, **change}]) is None
    for change in ({"profile": "unknown"}, {"codec_name": "mp3"}):
        assert media_info_of([VIDEO, {**AUDIO, **change}]) is None
    assert media_info_of([]) is None and media_info_of([AUDIO]) is None


def test_a_strangers_segment_is_looked_at_within_limits() -> None:
    assert probe_argv()[: probe_argv().index("ffprobe")] == limit_argv([])


START = b"\x00\x00\x00\x01"
VPS, SLICE = START + bytes.fromhex("40010c01ffff"), START + bytes.fromhex("2601af")
SPS_H264 = START + bytes.fromhex("6764000dacd941419f9f")


def hevc(general: str) -> bytes:
    """Return parameters of a picture, between others."""
    return VPS + START + bytes.fromhex("420101" + general + "a00a080b9f6d96566924caf016a1220120") + SLICE


@pytest.mark.parametrize(
    ("general", "name"),
    [
        # x265: Main, Main 10, and 4:2:2, as in a stream, with bytes that prevent start codes.
        ("01600000030090000003000003003c", "hvc1.1.6.L60.90"),
        ("02200000030090000003000003005d", "hvc1.2.4.L93.90"),
        ("04080000030099a8000003000078", "hvc1.4.10.L120.99.A8"),
        # As in the examples of ISO/IEC 14496-15: the high tier, a profile space, all constraints, none.
        ("2160000000b0000000000099", "hvc1.1.6.H153.B0"),
        ("818000000001020304050699", "hvc1.B1.1.L153.1.2.3.4.5.6"),
        ("0140000000000000000003005a", "hvc1.1.2.L90"),
    ],
)
def test_hevc_is_named_by_its_profile_tier_level_and_constraints(general: str, name: str) -> None:
    assert picture_name("hevc", hevc(general)) == name


def test_what_has_no_parameters_has_no_name() -> None:
    assert picture_name("h264", SPS_H264) == "avc1.64000D"
    assert picture_name("h264", SPS_H264[:7]) is picture_name("mpeg2video", SPS_H264) is None
    for parameters in (VPS + SLICE, START + bytes.fromhex("4201016000000300900000"), b"", SPS_H264):
        assert picture_name("hevc", parameters) is None
