import pytest

from worker.ingest.errors import EgressRefused
from worker.ingest.hls.media_playlist import SegmentPlace, read_media_playlist, write_media_playlist

KEY_FORMATS_MAX = 8


def read_with(*lines: str):
    return read_media_playlist("\n".join(("#EXTM3U", *lines)).encode())


def keys(count: int, text: str = "") -> list[str]:
    return [f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{text}",KEYFORMAT="f{n}"' for n in range(count)]


def test_keys_are_shared_and_too_many_or_too_long_ones_are_refused() -> None:
    read = read_with(*keys(KEY_FORMATS_MAX), "#EXT-X-KEY:METHOD=NONE", *keys(3), "#EXTINF:1,", "a.ts")
    assert len(read.segments[0].keys) == 3
    with pytest.raises(EgressRefused, match="keys in more than 8 formats at a time"):
        read_with(*keys(KEY_FORMATS_MAX + 1), "#EXTINF:1,", "a.ts")
    # Long keys are not written for thousands of segments.
    read = read_with(*keys(KEY_FORMATS_MAX, "u" * 10_000), *(f"#EXTINF:1,\n{n}.ts" for n in range(5_000)))
    # With other numbers, each segment has its own IVs.
    places = {each.number: SegmentPlace(each.number + 1, False, 0) for each in read.segments}
    with pytest.raises(EgressRefused, match="repeats keys that are too long"):
        write_media_playlist(read, places)
    # Segments share their keys.
    read = read_with(*keys(KEY_FORMATS_MAX), *(f'#EXT-X-MAP:URI="i{n}"\n#EXTINF:1,\n{n}.m4s' for n in range(100)))
    assert len({id(each.keys) for each in read.segments}) == 1
    assert {id(each.init[0]) for each in read.segments if each.init} == {id(read.segments[0].keys)}
