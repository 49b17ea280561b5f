"""Playlists for mpv of a stream whose picture changes its codec, from made-up segments and playlists."""

import m3u8
import pytest

from player.media.codec_change import CodecParts, picture_type, since, until

H264, HEVC, AAC = 0x1B, 0x24, 0x0F


def packet(pid: int, payload: bytes, begins: int = 0x40) -> bytes:
    return bytes([0x47, begins | pid >> 8, pid & 0xFF, 0x10]) + payload.ljust(184, b"\xff")


def pmt(*types: int) -> bytes:
    body = b"\x00\x01\xc1\x00\x00\xe1\x00\xf0\x00"
    for number, kind in enumerate(types):
        body += bytes([kind, 0xE1, number, 0xF0, 3]) + b"\x0a\x01x"
    return packet(0x1000, b"\x00\x02\xb0" + bytes([len(body) + 4]) + body + b"\xcc" * 4)


PAT, DATA = packet(0, b"\x00\x00\xb0\x0d" + bytes(13)), packet(0x100, b"\x00\x00\x01\xe0", 0)


def segment(*types: int) -> bytes:
    return packet(17, b"\x00\x42\xf0\x25" + bytes(40)) + PAT + pmt(*types) + DATA * 40


OLD, NEW = segment(H264, AAC), segment(HEVC, AAC)
HEAD = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:3\n"
TIMED = "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n#EXTINF:2.0,\n"
PLAYLIST = (
    f"{HEAD}{TIMED}r0-1.ts\n#EXT-X-DISCONTINUITY\n{TIMED}r1-0.ts\n{TIMED}r1-1.ts\n"
    f"#EXT-X-DISCONTINUITY\n{TIMED}r2-0.ts\n{TIMED}r2-1.ts\n"
).encode()


PICTURES = [
    *((OLD, H264), (NEW, HEVC), (segment(AAC, HEVC), HEVC), (segment(AAC), None), (OLD[:188], None)),
    *((DATA * 40 + OLD, None), (b"", None), (bytes(1_000), None), (packet(0x1000, b"\xff"), None)),
    (packet(0x1000, b"\x00\x02\xbf\xff" + b"\xff" * 180), None),
]


@pytest.mark.parametrize(("beginning", "found"), PICTURES)
def test_a_segment_says_what_its_picture_is(beginning, found):
    assert picture_type(beginning) == found


def test_a_playlist_ends_before_a_segment_or_begins_with_it():
    read = m3u8.loads(until(PLAYLIST, b"r2-0.ts").decode())
    assert [each.uri for each in read.segments] == ["r0-1.ts", "r1-0.ts", "r1-1.ts"] and read.is_endlist
    assert (m3u8.loads(until(PLAYLIST, b"r0-1.ts").decode()).segments, until(PLAYLIST, b"other.ts")) == ([], PLAYLIST)
    read = m3u8.loads(since(PLAYLIST, b"r2-0.ts").decode())
    assert [(each.uri, each.discontinuity) for each in read.segments] == [("r2-0.ts", True), ("r2-1.ts", False)]
    assert (read.media_sequence, read.discontinuity_sequence, read.target_duration) == (10, 4, 2)
    assert not read.is_endlist and all(each.program_date_time for each in read.segments)
    assert since(PLAYLIST, b"other.ts") == PLAYLIST and since(HEAD.encode(), b"r2-0.ts") == HEAD.encode()
    assert m3u8.loads(since(PLAYLIST, b"r0-1.ts").decode()).media_sequence == 7


def test_a_stream_is_given_as_it_is_until_its_codec_changes_and_the_next_part_begins():
    parts = CodecParts()
    parts.next_part()
    assert parts.takes("source/r0-1.ts", OLD) and parts.takes("source/r1-0.ts", OLD) and parts.takes("x.ts", b"")
    assert not parts.is_ending and parts.of_playlist(PLAYLIST) is PLAYLIST
    parts = CodecParts()
    parts.next_part()
    assert parts.takes("source/r1-1.ts", OLD)
    assert not parts.takes("source/r2-0.ts", NEW) and not parts.takes("source/r2-1.ts", NEW)
    assert parts.is_ending and parts.of_playlist(PLAYLIST) == until(PLAYLIST, b"r2-0.ts")
    parts.next_part()
    assert not parts.is_ending and parts.of_playlist(PLAYLIST) == since(PLAYLIST, b"r2-0.ts")
    assert parts.takes("source/r2-0.ts", NEW)
    # Opened again for another reason, it begins there too.
    parts.next_part()
    assert parts.of_playlist(PLAYLIST) == since(PLAYLIST, b"r2-0.ts")
    assert parts.takes("source/r2-1.ts", NEW) and not parts.takes("source/r3-0.ts", OLD)
    later = PLAYLIST + f"#EXT-X-DISCONTINUITY\n{TIMED}r3-0.ts\n".encode()
    read = m3u8.loads(parts.of_playlist(later).decode())
    assert [each.uri for each in read.segments] == ["r2-0.ts", "r2-1.ts"] and read.is_endlist
