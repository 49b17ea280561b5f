from tests.media.judging.measures import Probed
from tests.media.judging.promises import broken_promises

VARIANT = (
    '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=320x180\ntiny/index.m3u8\n'
)


def newest(video: str, width: int, audio: str) -> Probed:
    return Probed((), (), {"codec_name": video, "width": width, "height": 180}, {"codec_name": audio})


def test_what_is_promised_is_held_and_another_size_and_other_codecs_are_named():
    assert broken_promises(VARIANT, newest("h264", 320, "aac")) == []
    broken = broken_promises(VARIANT, newest("hevc", 160, "ac3"))
    assert broken[0] == "RESOLUTION is 320x180, the newest segment has 160x180"
    assert [fault.rpartition(" ")[2] for fault in broken[1:]] == ["hevc", "ac3"]
    # Nothing promised is a fault.
    bare = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000\ntiny/index.m3u8\n"
    assert len(broken_promises(bare, newest("h264", 320, "aac"))) == 3
    assert broken_promises("#EXTM3U\n", newest("h264", 320, "aac")) == ["the multivariant playlist has no variant"]
