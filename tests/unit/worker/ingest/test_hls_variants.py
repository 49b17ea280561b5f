import m3u8
import pytest

from chalicelib.domain.streams.ladders import ABR_PROFILES
from worker.ingest.hls.variants import best_variant, limits_of

HD, FULL, SOURCE = (limits_of(ABR_PROFILES[name]) for name in ("hd", "full", "source"))


def playlist(*variants: str, before: str = "") -> bytes:
    """Variants are `uri attributes`."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:4", before]
    for variant in variants:
        uri, _, attributes = variant.partition(" ")
        lines += [f"#EXT-X-STREAM-INF:{attributes}", uri]
    return "\n".join(lines).encode()


def chosen(limits, *variants: str) -> str:
    choice = best_variant(playlist(*variants), limits, {"dead"}.__contains__)
    assert choice and choice.count == len(variants)
    read = m3u8.loads(choice.body.decode())
    assert [each.uri for each in read.playlists] == [choice.uri]
    return choice.uri


AVC, HEVC, DOLBY, MPEG2 = (
    f'CODECS="{name},mp4a.40.2"' for name in ("avc1.64001f", "hvc1.1.6.L93.B0", "dvh1.05.06", "mp2v.2")
)
AV1, VP9 = (f'CODECS="{name}"' for name in ("av01.0.05M.08,Opus", "vp09.00.40.08,fLaC"))
SIZES = (
    f"240 BANDWIDTH=1,RESOLUTION=426x240,{AVC}",
    f"2160 BANDWIDTH=9,RESOLUTION=3840x2160,{AVC}",
    f"720 BANDWIDTH=3,RESOLUTION=1280x720,{AVC}",
    f"1080 BANDWIDTH=5,RESOLUTION=1920x1080,{AVC}",
)


@pytest.mark.parametrize(
    ("limits", "variants", "best"),
    [
        # In the last one all are larger.
        *((HD, SIZES, "720"), (FULL, SIZES, "1080"), (SOURCE, SIZES, "2160"), (HD, SIZES[1::2], "1080")),
        # Whole macroblocks, an upright picture, and a wide one.
        (FULL, ("small BANDWIDTH=1,RESOLUTION=640x360", "big BANDWIDTH=2,RESOLUTION=1920x1088"), "big"),
        (FULL, ("small BANDWIDTH=1,RESOLUTION=360x640", "big BANDWIDTH=2,RESOLUTION=1080x1920"), "big"),
        (FULL, ("small BANDWIDTH=1,RESOLUTION=640x360", "big BANDWIDTH=2,RESOLUTION=2560x1080"), "small"),
        # The same picture: H.264 first, then more of it.
        (HD, (f"hevc BANDWIDTH=9,RESOLUTION=1280x720,{HEVC}", f"avc BANDWIDTH=3,RESOLUTION=1280x720,{AVC}"), "avc"),
        (HD, ("low BANDWIDTH=1,RESOLUTION=1280x720", "high BANDWIDTH=2,RESOLUTION=1280x720"), "high"),
        # Without sizes, by bandwidth.
        (HD, ("a BANDWIDTH=800000", "b BANDWIDTH=2500000", "c BANDWIDTH=6000000"), "b"),
        (HD, ("a BANDWIDTH=8000000", "b BANDWIDTH=6000000"), "b"),
        (SOURCE, ("a BANDWIDTH=800000", "b BANDWIDTH=6000000"), "b"),
        # Sound alone is no picture, with its codecs or without.
        (HD, ('sound BANDWIDTH=64000,CODECS="mp4a.40.2"', "picture BANDWIDTH=9000000"), "picture"),
        (HD, ("sound BANDWIDTH=64000", "picture BANDWIDTH=9000000,RESOLUTION=1920x1080"), "picture"),
        # What the path cannot take is last, but better than nothing.
        (HD, (f"dolby BANDWIDTH=3,RESOLUTION=1280x720,{DOLBY}", SIZES[0]), "240"),
        (HD, (f"dolby BANDWIDTH=3,RESOLUTION=1280x720,{DOLBY}",), "dolby"),
        (HD, (f"av1 BANDWIDTH=3,RESOLUTION=1280x720,{AV1}", SIZES[0]), "av1"),
        (HD, (f"vp9 BANDWIDTH=3,RESOLUTION=1280x720,{VP9}", SIZES[0]), "vp9"),
        (SOURCE, (f"av1 BANDWIDTH=3,RESOLUTION=1280x720,{AV1}", SIZES[0]), "240"),
        (HD, (f"hdr BANDWIDTH=3,RESOLUTION=1280x720,{HEVC},VIDEO-RANGE=PQ", SIZES[0]), "240"),
        # What is copied is H.264 or HEVC.
        (SOURCE, (f"hevc BANDWIDTH=9,RESOLUTION=1920x1080,{HEVC}", SIZES[0]), "240"),
        (SOURCE, (f"hevc BANDWIDTH=9,RESOLUTION=1920x1080,{HEVC}", "unknown BANDWIDTH=1"), "hevc"),
        (SOURCE, (f"mp2 BANDWIDTH=9,RESOLUTION=1920x1080,{MPEG2}", "unknown BANDWIDTH=1"), "unknown"),
        # What could not be fetched before is last.
        (HD, (SIZES[0], "dead BANDWIDTH=3,RESOLUTION=1280x720"), "240"),
        (HD, ("dead BANDWIDTH=3,RESOLUTION=1280x720",), "dead"),
        (HD, ("odd BANDWIDTH=x,RESOLUTION=wide,CODECS=", "good BANDWIDTH=1,RESOLUTION=640x360"), "good"),
    ],
)
def test_the_best_variant_within_the_ladder_is_passed_on(limits, variants, best) -> None:
    assert chosen(limits, *variants) == best
    assert chosen(limits, *reversed(variants)) == best


MEDIA = """#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",LANGUAGE="x",URI="x.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="y, z",DEFAULT=YES,AUTOSELECT=YES,URI="y.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="v",DEFAULT=YES,URI="v.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="en",DEFAULT=YES,URI="s.m3u8"
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"
#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k"
"""


def test_the_default_sound_of_the_variant_comes_with_it_and_nothing_else() -> None:
    choice = best_variant(
        playlist('p BANDWIDTH=1,CLOSED-CAPTIONS=NONE,AUDIO="a",SUBTITLES="s",FRAME-RATE=25', before=MEDIA),
        HD,
        {}.__contains__,
    )
    assert choice
    read = m3u8.loads(choice.body.decode())
    assert [(each.type, each.uri) for each in read.media] == [("AUDIO", "y.m3u8")]
    assert not read.iframe_playlists and not read.session_keys and read.is_independent_segments
    info = read.playlists[0].stream_info
    assert (info.audio, info.subtitles, info.closed_captions, info.frame_rate) == ("a", None, None, 25.0)
    # A media playlist has no variants.
    body = b"#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n#EXTINF:4,\r\na.ts\r\n"
    assert best_variant(body, HD, {}.__contains__) is None


def test_long_lines_do_not_take_long() -> None:
    for line in ("A" * 900_000, 'A="' * 300_000, "A=," * 300_000):
        best_variant(playlist(f"u {line}"), HD, {}.__contains__)
