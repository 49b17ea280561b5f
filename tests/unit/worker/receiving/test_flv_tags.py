import time

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


def test_whole_tags_are_passed_on() -> None:
    stream = HEADER + META + AVC_CONFIG + AAC_CONFIG + (PICTURE + SOUND) * 5
    for size in (1, 12, 13, 14, 100):
        tags = FlvTags()
        passed = [tags.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
        assert b"".join(passed) == stream and not tags.has_changed
        assert tags.feed(PICTURE[:-1]) == b"" and tags.feed(PICTURE[-1:]) == PICTURE


def test_a_large_tag_in_small_pieces_takes_no_more_time_than_its_bytes() -> None:
    tags, large = FlvTags(), tag(VIDEO_TAG, b"\x17\x01" + bytes(12 << 20))
    tags.feed(SILENT)
    begun = time.process_time()
    passed = [tags.feed(large[at : at + 1_024]) for at in range(0, len(large), 1_024)]
    assert not any(passed[:-1]) and passed[-1] == large
    assert time.process_time() - begun < 1


def fixed(*before: bytes) -> FlvTags:
    """Return the tags of a stream whose opening is over with these."""
    tags = FlvTags()
    assert tags.feed(b"".join(before)) == b"".join(before) and not tags.has_changed
    tags.is_fixed = True
    return tags


def test_a_track_that_comes_before_the_opening_is_over_is_no_change() -> None:
    assert fixed(SILENT, AAC_CONFIG, SOUND).feed(META + SOUND + PICTURE) == META + SOUND + PICTURE
    # It says nothing, has other flags, or ends a sequence.
    others = [tag(AUDIO_TAG, body) for body in (b"", b"\xae\x01sound", b"\x92Opus")]
    for same in (AAC_CONFIG, SOUND, *others):
        tags = fixed(SILENT, AAC)
        assert tags.feed(same + SOUND + PICTURE) == same + SOUND + PICTURE and not tags.has_changed


def test_a_track_that_appears_later_ends_a_part() -> None:
    tags = fixed(SILENT)
    assert tags.feed(PICTURE + AAC_CONFIG + SOUND + PICTURE) == PICTURE
    assert tags.has_changed
    # The next part begins with a header that announces both, and with what describes the picture.
    assert tags.reopen() == BOTH + META + AVC_CONFIG
    assert not tags.has_changed and tags.feed(b"") == AAC_CONFIG + SOUND + PICTURE
    # The newest description counts.
    newer = tag(VIDEO_TAG, b"\x17\x00newer config")
    assert fixed(SILENT, newer, PICTURE).reopen() == BOTH + META + newer


HEVC_CONFIG, HEVC_PICTURE = tag(VIDEO_TAG, b"\x90hvc1config"), tag(VIDEO_TAG, b"\x93hvc1picture", 40)
OPUS_CONFIG, OPUS_SOUND = tag(AUDIO_TAG, b"\x90Opusconfig"), tag(AUDIO_TAG, b"\x91Opussound", 40)


def test_enhanced_rtmp_describes_its_tracks_in_another_form() -> None:
    tags = fixed(HEADER, META, HEVC_CONFIG, HEVC_PICTURE)
    assert tags.feed(OPUS_CONFIG + OPUS_SOUND) == b"" and tags.has_changed
    assert tags.reopen() == BOTH + META + HEVC_CONFIG
    assert tags.feed(b"") == OPUS_CONFIG + OPUS_SOUND and tags.reopen() == BOTH + META + HEVC_CONFIG + OPUS_CONFIG


AAC_441, MP3_SOUND = tag(AUDIO_TAG, b"\xaf\x00\x12\x08"), tag(AUDIO_TAG, b"\x2fsound", 40)
MU_LAW_MONO, MU_LAW_STEREO = tag(AUDIO_TAG, b"\x82sound"), tag(AUDIO_TAG, b"\x83sound")
OTHER_OPUS = tag(AUDIO_TAG, b"\x90Opusother")


AAC, OPUS = AAC_CONFIG + SOUND, OPUS_CONFIG + OPUS_SOUND
CHANGES = {
    "configuration": (AAC, AAC_441 + SOUND),
    "MP3": (AAC, MP3_SOUND),
    "from MP3": (MP3_SOUND, AAC),
    "Opus": (OPUS, OTHER_OPUS + OPUS_SOUND),
    "AAC to Opus": (AAC, OPUS),
    "mu-law": (MU_LAW_MONO, MU_LAW_STEREO),
}


@pytest.mark.parametrize(("before", "after"), CHANGES.values(), ids=CHANGES)
def test_other_sound_ends_a_part(before: bytes, after: bytes) -> None:
    tags = fixed(SILENT, before)
    assert tags.feed(PICTURE + before + after + PICTURE) == PICTURE + before and tags.has_changed
    # What described the sound before is left out.
    assert tags.reopen() == BOTH + META + AVC_CONFIG
    assert tags.feed(b"") == after + PICTURE and not tags.has_changed
    tags.is_fixed = True
    assert tags.feed(after + PICTURE) == after + PICTURE and not tags.has_changed
