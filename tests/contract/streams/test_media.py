"""The port `MediaStore`: the fake and S3 keep the same promises, above all of conditional writes."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.streams import s3_media
from chalicelib.adapters.streams.s3_media import S3Media
from chalicelib.config import Settings
from chalicelib.ports.streams.media import EtagMismatch, MediaStore, StoredObject
from infra.schema import media_lifecycle
from tests.fixtures.emulator import Emulator

PLAYLIST = "application/vnd.apple.mpegurl"
KEY = "streams/stream-1/index.m3u8"


media = pytest.fixture(lambda stores: stores.media)


def stored(media: MediaStore) -> StoredObject:
    found = media.get(KEY)
    assert found
    return found


def test_an_object_is_read_back_with_the_etag_and_the_metadata_of_its_write(media: MediaStore) -> None:
    assert media.get(KEY) is None
    body = bytes(range(256)) * 700
    etag = media.put(KEY, body, PLAYLIST)
    assert (stored(media).body, stored(media).etag) == (body, etag)
    media.put(KEY, b"first", PLAYLIST, metadata={"media-ms": "2002"})
    assert (stored(media).body, dict(stored(media).metadata)) == (b"first", {"media-ms": "2002"})
    media.put(KEY, b"second", PLAYLIST)
    assert dict(stored(media).metadata) == {}


def test_of_a_streams_objects_only_its_segments_expire(settings: Settings) -> None:
    media, bucket = S3Media(settings.media_bucket), settings.media_bucket
    segment, playlist = "streams/stream-1/480p/1-1-000000.ts", "streams/stream-1/480p/index.m3u8"
    media.put(segment, b"x", "video/mp2t", expires=True)
    # Of a long window, a playlist is larger than many a segment.
    media.put(playlist, b"x" * 1_000_000, PLAYLIST, if_absent=True)
    tags = {key: client("s3").get_object_tagging(Bucket=bucket, Key=key)["TagSet"] for key in (segment, playlist)}
    assert len(tags[segment]) == 1 and tags[playlist] == []
    filters = [rule["Filter"] for rule in media_lifecycle()["Rules"] if "Expiration" in rule]
    assert filters == [{"And": {"Prefix": "streams/", "Tags": tags[segment]}}, {"Prefix": "logs/"}]


def test_a_write_can_ask_that_there_be_nothing_or_the_object_it_replaces(media: MediaStore) -> None:
    media.put(KEY, b"first", PLAYLIST, if_absent=True)
    with pytest.raises(EtagMismatch):
        media.put(KEY, b"second", PLAYLIST, if_absent=True)
    assert stored(media).body == b"first"
    first = stored(media).etag
    second = media.put(KEY, b"second", PLAYLIST, if_match=first)
    assert second != first
    with pytest.raises(EtagMismatch):
        media.put(KEY, b"third", PLAYLIST, if_match=first)
    assert stored(media).body == b"second"
    media.delete([KEY])
    with pytest.raises(EtagMismatch):
        media.put(KEY, b"third", PLAYLIST, if_match=second)
    assert media.get(KEY) is None


def test_of_writers_that_replace_the_same_object_one_wins(media: MediaStore) -> None:
    etag = media.put(KEY, b"first", PLAYLIST)

    def write(number: int) -> bool:
        try:
            media.put(KEY, f"by {number}".encode(), PLAYLIST, if_match=etag)
        except EtagMismatch:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(write, range(6))) == 1


def test_keys_are_listed_in_order_up_to_a_limit_and_deleting_is_idempotent(media: MediaStore) -> None:
    keys = [f"streams/stream-1/480p/1-1-{number:06d}.ts" for number in range(7)]
    for key in reversed(keys):
        media.put(key, b"x", "video/mp2t")
    media.put("streams/stream-10/480p/1-1-000000.ts", b"x", "video/mp2t")
    assert list(media.list("streams/stream-1/", limit=100)) == keys
    assert list(media.list("streams/stream-1/", limit=3)) == keys[:3]
    assert list(media.list("streams/stream-2/", limit=3)) == []
    for deleted in ([*keys, "streams/stream-1/none.ts"], keys[:1], []):
        media.delete(deleted)
    assert list(media.list("streams/stream-1/", limit=3)) == []


def test_keys_of_several_pages_are_listed(media: MediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_media, "PAGE", 3)
    keys = [f"streams/stream-1/480p/1-1-{number:06d}.ts" for number in range(8)]
    for key in keys:
        media.put(key, b"", "video/mp2t")
    assert list(media.list("streams/stream-1/", limit=20)) == keys
    assert list(media.list("streams/stream-1/", limit=7)) == keys[:7]


def test_a_signed_query_opens_one_object_for_get(settings: Settings, emulator: Emulator) -> None:
    media = S3Media(settings.media_bucket)
    media.put(KEY, b"secret", PLAYLIST)
    media.put("streams/stream-2/index.m3u8", b"other", PLAYLIST)
    query = media.signed_query(KEY, 30)
    assert query.startswith("X-Amz-Algorithm=AWS4-HMAC-SHA256")

    def status(path: str) -> int:
        return httpx.get(f"{emulator.endpoint}/{settings.media_bucket}/{path}").status_code

    assert status(f"{KEY}?{query}") == 200
    assert status(KEY) == 403
    assert status(f"streams/stream-2/index.m3u8?{query}") == 403
