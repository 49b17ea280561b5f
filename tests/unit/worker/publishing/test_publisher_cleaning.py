"""Deletion of segments from the store."""

from pathlib import Path

from chalicelib.ports.common import StoreUnavailable
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.integration.worker.follower import Follower
from tests.unit.worker.publishing.owner import STREAM, numbers, owner
from worker.publishing.cleaner import LAG_S

ROOT = f"streams/{STREAM}/index.m3u8"


def test_the_window_moves_and_old_segments_go_after_the_lag(
    store: MemoryMedia, media: FaultyMedia, follower: Follower, tmp_path: Path
) -> None:
    first = owner(media, tmp_path, 1, window_s=6)
    first.publish(5)
    assert sorted(numbers(media)) == [2, 3, 4]
    first.cleaner.delete_due(first.publisher.named_keys)
    assert f"streams/{STREAM}/720p/1-1-000000.ts" in store.objects
    first.now_s += LAG_S
    first.cleaner.delete_due(first.publisher.named_keys)
    segments = [key for key in store.objects if "720p" in key and key.endswith(".ts")]
    assert segments == [f"streams/{STREAM}/720p/1-1-00000{n}.ts" for n in (2, 3, 4)]


def test_leftovers_of_owners_before_are_swept(store: MemoryMedia, media: FaultyMedia, tmp_path: Path) -> None:
    old = owner(media, tmp_path, 1)
    old.publish(2)
    for left in ("720p/1-1-000099.ts", "480p/0-7-000001.ts", "1080p/1-1-000001.ts", "1080p/index.m3u8"):
        store.put(f"streams/{STREAM}/{left}", b"left", "video/mp2t")
    store.put(f"streams/{STREAM}0/720p/1-1-000001.ts", b"another stream's", "video/mp2t")
    kept = [f"streams/{STREAM}/720p/notes.txt", f"streams/{STREAM}/720p/2-1-000050.ts"]
    for key in kept:
        store.put(key, b"kept", "text/plain")
    new = owner(media, tmp_path, 2)
    new.publish(1)
    new.now_s += LAG_S - 1
    new.cleaner.delete_due(new.publisher.named_keys)
    assert f"streams/{STREAM}/720p/1-1-000099.ts" in store.objects
    new.now_s += 1
    new.cleaner.delete_due(new.publisher.named_keys)
    left = set(store.objects)
    assert not any("000099" in key or "0-7" in key or "1080p" in key for key in left)
    assert {*kept, f"streams/{STREAM}0/720p/1-1-000001.ts", ROOT} <= left
    assert new.publisher.named_keys() <= left


def test_who_was_replaced_deletes_nothing(store: MemoryMedia, media: FaultyMedia, tmp_path: Path) -> None:
    """A replaced owner does not take a rendition of a newer ladder for a dropped one, either."""
    holds = True
    old = owner(media, tmp_path, 1, window_s=2, allowed=lambda: holds)
    old.publish(5)
    holds = False
    store.put(f"streams/{STREAM}/1080p/index.m3u8", b"the next owner's", "text/plain")
    before = set(store.objects)
    old.now_s += LAG_S
    old.cleaner.delete_due(old.publisher.named_keys)
    assert set(store.objects) == before


def test_segments_of_later_owners_are_no_leftovers(store: MemoryMedia, media: FaultyMedia, tmp_path: Path) -> None:
    key = f"streams/{STREAM}/1080p/2-1-000001.ts"
    first = owner(media, tmp_path, 1)
    store.put(key, b"the next owner's", "video/mp2t")
    first.now_s += LAG_S
    first.cleaner.delete_due(first.publisher.named_keys)
    assert key in store.objects


def test_a_store_that_does_not_delete_is_asked_again(store: MemoryMedia, media: FaultyMedia, tmp_path: Path) -> None:
    first = owner(media, tmp_path, 1, window_s=2)
    first.publish(5)

    def fail(operation: str, key: str) -> None:
        if operation == "delete":
            raise StoreUnavailable("no")

    media.before = fail
    first.now_s += LAG_S
    first.cleaner.delete_due(first.publisher.named_keys)
    assert f"streams/{STREAM}/720p/1-1-000000.ts" in store.objects
    media.before = lambda operation, key: None
    first.now_s += 60
    first.cleaner.delete_due(first.publisher.named_keys)
    assert f"streams/{STREAM}/720p/1-1-000000.ts" not in store.objects
