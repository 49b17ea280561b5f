"""A change to a smaller ladder, and the playlist that viewers of a dropped rendition play."""

from pathlib import Path

import pytest

from chalicelib.ports.common import StoreUnavailable
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.unit.worker.publishing.owner import STREAM, Owner
from worker.publishing.fenced_object import ClaimLost

ROOT = f"streams/{STREAM}/index.m3u8"
DROPPED = f"streams/{STREAM}/720p/index.m3u8"


@pytest.fixture
def store() -> MemoryMedia:
    return MemoryMedia()


@pytest.fixture
def media(store: MemoryMedia) -> FaultyMedia:
    return FaultyMedia(store)


def owner(media: FaultyMedia, tmp_path: Path, epoch: int, profile: str = "hd") -> Owner:
    it = Owner(media, tmp_path / str(epoch), epoch, profile=profile)
    it.publisher.take_over()
    return it


def test_a_rendition_that_is_dropped_has_no_playlist_any_more_once_the_ladder_is_live(
    store: MemoryMedia, media: FaultyMedia, tmp_path: Path
) -> None:
    """Viewers would stay at a playlist without new segments, and pay."""
    owner(media, tmp_path, 1).publish(2)
    small = owner(media, tmp_path, 2, profile="sd")
    assert DROPPED in store.objects, "until the new ladder is there, the old one is of use"
    order: list[str] = []
    media.before = lambda operation, key: order.append(f"{operation} {key}") if operation != "get" else None
    small.publish(1)
    assert order[-2:] == [f"put {ROOT}", f"delete {DROPPED}"]
    assert DROPPED not in store.objects and f"streams/{STREAM}/720p/1-1-000000.ts" in store.objects
    small.publish(1)
    assert sum(operation.startswith("delete") for operation in order) == 1


def test_a_dropped_playlist_that_could_not_be_deleted_is_deleted_with_the_next_segment(
    store: MemoryMedia, media: FaultyMedia, tmp_path: Path
) -> None:
    owner(media, tmp_path, 1).publish(2)
    small = owner(media, tmp_path, 2, profile="sd")

    def fail(operation: str, key: str) -> None:
        if operation == "delete":
            raise StoreUnavailable("no")

    media.before = fail
    assert small.publish(1) == [None] and not small.publisher.has_unwritten
    media.before = lambda operation, key: None
    assert DROPPED in store.objects
    small.publish(1)
    assert DROPPED not in store.objects


def test_an_owner_that_lost_its_claim_drops_nothing_of_the_new_owners(
    store: MemoryMedia, media: FaultyMedia, tmp_path: Path
) -> None:
    owner(media, tmp_path, 1).publish(1)
    small = owner(media, tmp_path, 2, profile="sd")

    def overtake(operation: str, key: str) -> None:
        if operation == "put" and key == ROOT:
            media.after = lambda operation, key: None
            owner(media, tmp_path, 3).publish(1)

    media.after = overtake
    with pytest.raises(ClaimLost):
        small.publish(1)
    assert DROPPED in store.objects
