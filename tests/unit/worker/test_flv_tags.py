"""FLV streams that are made here, tag by tag."""

import pytest

from worker.receiving.flv_tags import AUDIO_TAG, SCRIPT_TAG, VIDEO_TAG, FlvTags


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


def test_the_newest_description_counts() -> None:
    tags, newer = FlvTags(), tag(VIDEO_TAG, b"\x17\x00newer config")
    tags.feed(SILENT + newer + PICTURE)
    assert tags.reopen() == BOTH + META + newer
