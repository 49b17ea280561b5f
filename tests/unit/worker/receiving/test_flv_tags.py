"""FLV streams, made tag by tag."""

import io

import av
import pytest

from worker.receiving.containers import _parts
from worker.receiving.flv_tags import AUDIO_TAG, SCRIPT_TAG, VIDEO_TAG, FlvTags
from worker.receiving.packets import VideoTrack
from worker.receiving.request import ReceiveRequest, Transport


def tag(kind: int, body: bytes, at_ms: int = 0) -> bytes:
    head = bytes([kind]) + len(body).to_bytes(3, "big") + at_ms.to_bytes(3, "big") + bytes(4)
    return head + body + (11 + len(body)).to_bytes(4, "big")


HEADER = b"FLV\x01\x01\x00\x00\x00\x09\x00\x00\x00\x00"
BOTH = b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"
META = tag(SCRIPT_TAG, b"onMetaData")
AVC_CONFIG, AAC_CONFIG = tag(VIDEO_TAG, b"\x17\x00config"), tag(AUDIO_TAG, b"\xaf\x00\x12\x10")
PICTURE, SOUND = tag(VIDEO_TAG, b"\x17\x01picture", 40), tag(AUDIO_TAG, b"\xaf\x01sound", 40)
SILENT = HEADER + META + AVC_CONFIG + PICTURE


@pytest.mark.parametrize("size", [1, 12, 13, 14, 100])
def test_whole_tags_are_passed_on(size: int) -> None:
    tags, stream = FlvTags(), HEADER + META + AVC_CONFIG + AAC_CONFIG + (PICTURE + SOUND) * 5
    passed = [tags.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
    assert b"".join(passed) == stream and not tags.has_changed
    assert tags.feed(PICTURE[:-1]) == b"" and tags.feed(PICTURE[-1:]) == PICTURE


def test_a_track_that_comes_before_the_opening_is_over_is_no_change() -> None:
    tags = FlvTags()
    tags.feed(SILENT)
    assert tags.feed(AAC_CONFIG + SOUND) == AAC_CONFIG + SOUND and not tags.has_changed
    tags.is_fixed = True
    assert tags.feed(META + SOUND + PICTURE) == META + SOUND + PICTURE and not tags.has_changed


def test_a_track_that_appears_later_ends_a_part() -> None:
    tags = FlvTags()
    assert tags.feed(SILENT) == SILENT
    tags.is_fixed = True
    assert tags.feed(PICTURE + AAC_CONFIG + SOUND + PICTURE) == PICTURE
    assert tags.has_changed
    # The next part begins with a header that announces both, and with what describes the picture.
    assert tags.reopen() == BOTH + META + AVC_CONFIG
    assert not tags.has_changed and tags.feed(b"") == AAC_CONFIG + SOUND + PICTURE


HEVC_CONFIG, HEVC_PICTURE = tag(VIDEO_TAG, b"\x90hvc1config"), tag(VIDEO_TAG, b"\x93hvc1picture", 40)
OPUS_CONFIG, OPUS_SOUND = tag(AUDIO_TAG, b"\x90Opusconfig"), tag(AUDIO_TAG, b"\x91Opussound", 40)


def test_enhanced_rtmp_describes_its_tracks_in_another_form() -> None:
    tags = FlvTags()
    assert tags.feed(HEADER + META + HEVC_CONFIG + HEVC_PICTURE) == HEADER + META + HEVC_CONFIG + HEVC_PICTURE
    tags.is_fixed = True
    assert tags.feed(OPUS_CONFIG + OPUS_SOUND) == b"" and tags.has_changed
    assert tags.reopen() == BOTH + META + HEVC_CONFIG
    assert tags.feed(b"") == OPUS_CONFIG + OPUS_SOUND and tags.reopen() == BOTH + META + HEVC_CONFIG + OPUS_CONFIG


def hevc_with_late_sound() -> bytes:
    """Return six seconds of HEVC, whose encoder learns of its sound after four."""
    out = io.BytesIO()
    with av.open(out, "w", "flv") as made:
        options = {"x265-params": "log-level=none:keyint=10", "tune": "zerolatency"}
        video, audio = made.add_stream("libx265", rate=25, options=options), made.add_stream("aac", rate=48_000)
        video.width, video.height, video.pix_fmt, audio.layout = 320, 180, "yuv420p", "mono"
        for number in range(150):
            picture = av.VideoFrame(320, 180, "yuv420p")
            for plane in picture.planes:
                plane.update(bytes([number]) * plane.buffer_size)
            picture.pts = number
            made.mux(video.encode(picture))
        for number in range(90):
            sound = av.AudioFrame("fltp", "mono", 1024)
            sound.planes[0].update(bytes(4096))
            sound.sample_rate, sound.pts = 48_000, 4 * 48_000 + number * 1024
            made.mux(audio.encode(sound))
    body, tags, at = out.getvalue(), [], len(HEADER)
    while at < len(body):
        end = at + 15 + int.from_bytes(body[at + 1 : at + 4])
        tags.append(body[at:end])
        at = end
    described = next(each for each in tags if each[0] == AUDIO_TAG)
    tags.remove(described)
    tags.insert(next(n for n, each in enumerate(tags) if each[0] == AUDIO_TAG), described)
    return HEADER + b"".join(tags)


def test_hevc_goes_on_where_its_sound_begins_late() -> None:
    stream, request = io.BytesIO(hevc_with_late_sound()), ReceiveRequest(transport=Transport.URL)
    found: list[list[str]] = []
    for container, _ in _parts(lambda _: stream.read(100), FlvTags(), request):
        (track,) = (VideoTrack(each) for each in container.streams.video)
        found.append([packet.stream.type for packet in container.demux() if packet.size])
        assert track.describe()["width"] == 320
    before, after = found
    assert {*before} == {"video"} and len(before) + after.count("video") == 150 and after.count("audio") > 80


def test_the_newest_description_counts() -> None:
    tags, newer = FlvTags(), tag(VIDEO_TAG, b"\x17\x00newer config")
    tags.feed(SILENT + newer + PICTURE)
    assert tags.reopen() == BOTH + META + newer
