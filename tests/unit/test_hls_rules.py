"""The checker finds each violation that it is there for, and nothing in a stream that is right."""

from dataclasses import replace

import pytest

from tests.hls.probe import SegmentInfo
from tests.hls.rules import Snapshot, faults, history_faults

MULTIVARIANT = """#EXTM3U
#TOLLCAST-EPOCH:1
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=2100000,AVERAGE-BANDWIDTH=2000000,RESOLUTION=1280x720,FRAME-RATE=29.970,CODECS="avc1.64001F,mp4a.40.2"
720p/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1050000,AVERAGE-BANDWIDTH=1000000,RESOLUTION=854x480,FRAME-RATE=29.970,CODECS="avc1.64001E,mp4a.40.2"
480p/index.m3u8
"""
MEDIA = """#EXTM3U
#TOLLCAST-EPOCH:1
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:1
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:2
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000+00:00
#EXTINF:2.000000,
a.ts
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000+00:00
#EXTINF:2.000000,
#EXT-X-BITRATE:%d
b.ts
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:09.000+00:00
#EXTINF:2.000000,
c.ts
"""
PICTURE = {"width": 1280, "height": 720, "fps": 30000 / 1001, "profile": 0x64, "constraints": 0, "level": 0x1F}
KEYFRAMES = {"begins_with_keyframe": True, "keyframes_s": (1.5,)}
HIGH = SegmentInfo(size=500_000, audio="mp4a.40.2", **PICTURE, **KEYFRAMES)
LOW = replace(HIGH, size=250_000, width=854, height=480, level=0x1E)
GOOD = Snapshot(
    multivariant=MULTIVARIANT,
    playlists={"720p/index.m3u8": MEDIA % 2000, "480p/index.m3u8": MEDIA % 1000},
    segments={f"{name}/{file}.ts": one for name, one in (("720p", HIGH), ("480p", LOW)) for file in "abc"},
)


def assert_found(fault, found):
    assert not found if fault is None else any(fault in one for one in found), found


def with_fault(rendition, wrong, right):
    """Return the faults of the stream with one wrong thing in a media playlist."""
    text = GOOD.playlists[rendition]
    assert right in text
    return faults(replace(GOOD, playlists={**GOOD.playlists, rendition: text.replace(right, wrong, 1)}))


def test_a_stream_that_is_right_has_no_faults():
    assert (faults(GOOD), faults(replace(GOOD, segments={}))) == ([], [])


SIX, TARGET, LENGTH = "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:2", "#EXTINF:2.000000,"


@pytest.mark.parametrize(
    ("wrong", "right", "fault"),
    [
        *(("#EXTM3U2", "#EXTM3U", "the first line is not #EXTM3U"), ("#EXT-X-VERSION:2", SIX, "needs 3 to 7")),
        *(("#NOTHING", SIX, "EXT-X-VERSION is None"), ("#EXT-X-VERSION:8", SIX, "needs 3 to 7")),
        *(("#EXT-X-VERSION:six", SIX, "EXT-X-VERSION is six"), (f"{LENGTH}\n#EXT-X-BYTERANGE:9@0", LENGTH, None)),
        ("#EXT-X-VERSION:3\n#EXT-X-BYTERANGE:9@0", SIX, "needs 4 to 7"),
        ("#EXT-X-TARGETDURATION:1", TARGET, "lasts 2.0 s under a target of 1 s"),
        ("#EXTINF:2.500000,", LENGTH, "lasts 2.5 s under a target of 2 s"),
        ("#NOTHING", TARGET, "no EXT-X-TARGETDURATION"),
        ("#EXT-X-TARGETDURATION:2.0", TARGET, "no EXT-X-TARGETDURATION of whole seconds"),
        (f"{TARGET}\n{TARGET}", TARGET, "is there twice"),
        ("#EXT-X-MEDIA-SEQUENCE:-7", "#EXT-X-MEDIA-SEQUENCE:7", "EXT-X-MEDIA-SEQUENCE is no whole number"),
        ("a.ts\n#EXT-X-MEDIA-SEQUENCE:7", "a.ts", "EXT-X-MEDIA-SEQUENCE is there twice"),
        ("a.ts\n#EXT-X-INDEPENDENT-SEGMENTS", "a.ts", "comes after the first segment's tags"),
        ("x.ts\na.ts", "a.ts", "a.ts has no EXTINF"),
        ("#EXTINF:2.000000\n", "#EXTINF:2.000000,\n", "has no EXTINF with a duration and a comma"),
        ("c.ts\n#EXTINF:2.0,", "c.ts", "EXTINF belong to no segment"),
        ("#EXT-X-ENDLIST\nc.ts", "c.ts", "#c.ts comes after EXT-X-ENDLIST"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1\nc.ts", "c.ts", "is not allowed in a media playlist"),
        ("T00:00:03.000+00:00", "T00:00:02.000+00:00", "is dated +1.000 s from the end of the one before"),
        ("T00:00:02.000", "T00:00:02.000+00:00", "its date has no time zone"),
        ("#EXT-X-PROGRAM-DATE-TIME:now", "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000+00:00", "b.ts: Invalid"),
        ("#EXT-X-TARGETDURATION:3", TARGET, "less than three target durations are left"),
        ("#EXT-X-BITRATE:2300", "#EXT-X-BITRATE:2000", "EXT-X-BITRATE is 2300, the segment has 2000"),
    ],
)
def test_faults_of_one_media_playlist(wrong, right, fault):
    assert_found(fault, with_fault("720p/index.m3u8", wrong, right))


PEAK, AVERAGE = "BANDWIDTH=2100000,", "AVERAGE-BANDWIDTH=2000000,"
FIRST, CODECS = "720p/index.m3u8", "CODECS are"


@pytest.mark.parametrize(
    ("wrong", "right", "fault"),
    [
        *(("", "#EXTM3U", "the first line is not #EXTM3U"), ("#EXT-X-VERSION:9", SIX, "EXT-X-VERSION is 9")),
        (TARGET, SIX, "is not allowed in a multivariant playlist"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:B", "#EXT-X-STREAM-INF:B", "is not followed by an address"),
        (f"a.m3u8\n{FIRST}", FIRST, "a.m3u8 does not exist"),
        (f"{FIRST}\n1080p/index.m3u8", FIRST, "comes without EXT-X-STREAM-INF"),
        (PEAK * 2, PEAK, "are no list of names and values, each once"),
        *(("BANDWIDTH=many,", PEAK, "BANDWIDTH is many"), ("", AVERAGE, "AVERAGE-BANDWIDTH is None")),
        ("BANDWIDTH=1999999,", PEAK, "BANDWIDTH is 1999999, the peak is 2000000"),
        ("BANDWIDTH=2200001,", PEAK, "BANDWIDTH is 2200001, the peak is 2000000"),
        ("AVERAGE-BANDWIDTH=2100001,", AVERAGE, "AVERAGE-BANDWIDTH is above BANDWIDTH"),
        ("RESOLUTION=1920x1080,", "RESOLUTION=1280x720,", "RESOLUTION is 1920x1080, the picture 1280x720"),
        ("RESOLUTION=1280,", "RESOLUTION=1280x720,", "RESOLUTION is 1280"),
        ("FRAME-RATE=30.000", "FRAME-RATE=29.970", "FRAME-RATE is 30.000, the picture has 29.970"),
        ("FRAME-RATE=29.97,", "FRAME-RATE=29.970,", "FRAME-RATE is 29.97"),
        *(("avc1.640020", "avc1.64001F", CODECS), ("avc1.4D401F", "avc1.64001F", CODECS)),
        *(("mp4a.40.5", "mp4a.40.2", CODECS), ('"avc1.64001F"', '"avc1.64001F,mp4a.40.2"', CODECS)),
        ("avc1.64001F,mp4a.40.2", '"avc1.64001F,mp4a.40.2"', "are no list of names and values"),
        ("480p/index.m3u8\n", f"{FIRST}\n", "one is there twice"),
        ("BANDWIDTH=1000000,", PEAK, "the best variant is not the first one"),
    ],
)
def test_faults_of_the_multivariant_playlist(wrong, right, fault):
    assert right in MULTIVARIANT
    assert_found(fault, faults(replace(GOOD, multivariant=MULTIVARIANT.replace(right, wrong, 1))))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"begins_with_keyframe": False}, "480p/b.ts: it does not begin with a keyframe"),
        ({"keyframes_s": (1.5, 2.0)}, "720p/index.m3u8 and 480p/index.m3u8 at 8: keyframes at"),
        *(({"width": 852}, "the picture 852x480"), ({"fps": 25.0}, "the picture has 25.000")),
        *(({"constraints": 0x40}, CODECS), ({"audio": None}, CODECS)),
        ({"size": 300_000}, "480p: BANDWIDTH is 1050000, the peak is 1200000"),
    ],
)
def test_faults_of_a_segment(changes, fault):
    segments = {**GOOD.segments, "480p/b.ts": replace(LOW, **changes)}
    assert_found(fault, faults(replace(GOOD, segments=segments)))


@pytest.mark.parametrize(
    ("wrong", "right", "fault"),
    [
        ("#EXT-X-TARGETDURATION:4", TARGET, "have target durations of 2 and 4 s"),
        ("#EXTINF:1.900000,", LENGTH, "at 7: durations 2.0 and 1.9 s"),
        ("#EXT-X-MEDIA-SEQUENCE:70", "#EXT-X-MEDIA-SEQUENCE:7", "have no number in common"),
        ("#EXT-X-DISCONTINUITY-SEQUENCE:2", "#EXT-X-DISCONTINUITY-SEQUENCE:1", "at 7: other discontinuity"),
        ("#NOTHING\n", "#EXT-X-DISCONTINUITY\n", "at 9: other discontinuity"),
    ],
)
def test_faults_between_variants(wrong, right, fault):
    assert_found(fault, with_fault("480p/index.m3u8", wrong, right))


LATER = MEDIA + "#EXTINF:2.0,\nd.ts\n"


@pytest.mark.parametrize(
    ("wrong", "right", "fault"),
    [
        ("", "", None),
        ("SEQUENCE:6", "SEQUENCE:7", "the media sequence fell from 7 to 6"),
        ("b2.ts", "b.ts", "number 8 was b.ts, is b2.ts"),
        ("DISCONTINUITY-SEQUENCE:0", "DISCONTINUITY-SEQUENCE:1", "the discontinuity sequence fell"),
        ("#NOTHING\n", "#EXT-X-DISCONTINUITY\n", "number 9 has another discontinuity sequence number"),
        ("#EXTINF:2.0,\nd.ts\n#EXT-X-ENDLIST\n", "#EXTINF:2.0,\nd.ts\n", None),
        ("DURATION:3", "DURATION:2", "changed from 2 to 3 without a discontinuity"),
    ],
)
def test_faults_of_a_successor(wrong, right, fault):
    assert_found(fault, history_faults(MEDIA, LATER.replace(right, wrong, 1) if right else LATER))


def test_a_target_may_rise_at_a_discontinuity_and_an_end_is_an_end():
    risen = MEDIA.replace("DURATION:2", "DURATION:4") + "#EXT-X-DISCONTINUITY\n#EXTINF:4.0,\nd.ts\n"
    assert history_faults(MEDIA, risen) == []
    assert history_faults(MEDIA + "#EXT-X-ENDLIST\n", LATER) == ["it continues after EXT-X-ENDLIST"]
    assert history_faults(LATER, MEDIA) == ["segments at the end were removed"]
