from pathlib import Path

import pytest

from chalicelib.domain.streams.ladders import Rendition
from chalicelib.domain.streams.stream import WINDOW_MINUTES_MAX
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.integration.worker.follower import Follower
from tests.unit.worker.publishing.owner import STREAM, numbers, owner
from worker.publishing.cleaner import LAG_S
from worker.publishing.fenced_object import ClaimLost
from worker.publishing.segment_uploader import ClaimNotRenewed

ROOT = f"streams/{STREAM}/index.m3u8"
WINDOW_S_MAX = WINDOW_MINUTES_MAX * 60


def test_segments_come_before_the_playlists_that_name_them(media: FaultyMedia, tmp_path: Path) -> None:
    order: list[str] = []
    media.after = lambda operation, key: order.append(key.rpartition("/")[2]) if operation == "put" else None
    owner(media, tmp_path, 1).publish()
    assert order == ["1-1-000000.ts"] * 2 + ["index.m3u8"] * 3
    assert numbers(media) == {0: ("1-1-000000.ts", 0)} == numbers(media, "480p")


def test_a_segment_carries_how_long_it_plays(store: MemoryMedia, media: FaultyMedia, tmp_path: Path) -> None:
    owner(media, tmp_path, 1).publish(1)
    stored = {key: dict(each.metadata) for key, each in store.objects.items() if key.endswith(".ts")}
    assert len(stored) == 2
    assert all(metadata == {"media-ms": "2000"} for metadata in stored.values())


def test_a_new_run_goes_on_with_a_discontinuity(media: FaultyMedia, follower: Follower, tmp_path: Path) -> None:
    first = owner(media, tmp_path, 1)
    first.publish(2)
    follower.poll()
    first.restart()
    first.publish(2)
    assert numbers(media) == {
        0: ("1-1-000000.ts", 0),
        1: ("1-1-000001.ts", 0),
        2: ("1-2-000000.ts", 1),
        3: ("1-2-000001.ts", 1),
    }


def test_another_worker_goes_on_and_the_old_one_is_shut_out(
    media: FaultyMedia, follower: Follower, tmp_path: Path
) -> None:
    old = owner(media, tmp_path, 1)
    old.publish(2)
    follower.poll()
    new = owner(media, tmp_path, 2)
    # The new one has published nothing yet, and the old one can do no more harm.
    with pytest.raises(ClaimLost):
        old.publish()
    new.publish(1)
    with pytest.raises(ClaimLost):
        old.publish()
    with pytest.raises(ClaimLost):
        old.publisher.take_over()
    assert numbers(media) == {0: ("1-1-000000.ts", 0), 1: ("1-1-000001.ts", 0), 2: ("2-1-000000.ts", 1)}
    assert new.publisher.clock_s == 2.0


def test_the_first_playlist_is_fenced_as_well(media: FaultyMedia, follower: Follower, tmp_path: Path) -> None:
    old, new = owner(media, tmp_path, 1), owner(media, tmp_path, 2)
    # The old one wakes after the new one found nothing, and writes first.
    old.publish(2)
    follower.poll()
    new.publish(2)
    with pytest.raises(ClaimLost):
        old.publish()
    assert [uri for uri, _ in numbers(media).values()] == [
        "1-1-000000.ts",
        "1-1-000001.ts",
        "2-1-000000.ts",
        "2-1-000001.ts",
    ]


def test_an_older_owner_is_not_written_over_though_the_store_falls_silent_as_it_is_noticed(
    media: FaultyMedia, follower: Follower, tmp_path: Path
) -> None:
    second = owner(media, tmp_path, 2)
    owner(media, tmp_path, 1).publish(3)
    follower.poll()
    asked: list[str] = []

    def silent(operation: str, key: str) -> None:
        # The written playlists are read, but another takeover would have to read them once more.
        if key in asked:
            raise StoreUnavailable("silent")
        if operation == "get":
            asked.append(key)

    media.before = silent
    with pytest.raises(StoreUnavailable):
        second.publisher.publish(second.segment())
    with pytest.raises(StoreUnavailable):
        second.publisher.end()
    media.before = lambda operation, key: None
    assert second.publisher.publish(second.segment(has_gap=True)) is None
    assert numbers(media) == numbers(media, "480p")
    assert numbers(media) == {
        **{number: (f"1-1-{number:06d}.ts", 0) for number in range(3)},
        3: ("2-1-000000.ts", 1),
        4: ("2-1-000001.ts", 2),
    }
    follower.poll()
    assert follower.problems == []


def test_a_segment_that_cannot_be_stored_is_left_out_everywhere(
    media: FaultyMedia, follower: Follower, tmp_path: Path
) -> None:
    first = owner(media, tmp_path, 1)
    first.publish(2)

    def before(operation: str, key: str) -> None:
        if operation == "put" and key.endswith("480p/1-1-000002.ts"):
            first.now_s += 1
            raise StoreUnavailable("no")

    media.before = before
    refusals = first.publish(3)
    assert refusals == ["StoreUnavailable: no", None, None]
    for rendition in ("720p", "480p"):
        assert numbers(media, rendition) == {
            0: ("1-1-000000.ts", 0),
            1: ("1-1-000001.ts", 0),
            2: ("1-1-000003.ts", 1),
            3: ("1-1-000004.ts", 1),
        }
    # What one rendition has of it is deleted later.
    first.now_s += LAG_S
    first.cleaner.delete_due(first.publisher.named_keys)
    assert f"streams/{STREAM}/720p/1-1-000002.ts" not in media.list("streams/", limit=100)


def test_an_upload_is_tried_again(media: FaultyMedia, follower: Follower, tmp_path: Path) -> None:
    failures = iter([True, True, False])

    def before(operation: str, key: str) -> None:
        if operation == "put" and key.endswith("720p/1-1-000000.ts") and next(failures):
            raise StoreUnavailable("no")

    media.before = before
    assert owner(media, tmp_path, 1).publish() == [None]
    assert numbers(media) == {0: ("1-1-000000.ts", 0)}


@pytest.mark.parametrize("kept", [True, False])
def test_a_playlist_whose_write_failed_is_written_with_the_next(
    media: FaultyMedia, follower: Follower, tmp_path: Path, kept: bool
) -> None:
    """The failed write may have arrived, with only its answer lost."""
    first = owner(media, tmp_path, 1)
    first.publish(1)

    def fail(operation: str, key: str) -> None:
        if operation == "put" and key.endswith(".m3u8"):
            raise StoreUnavailable("no answer")

    setattr(media, "after" if kept else "before", fail)
    with pytest.raises(StoreUnavailable):
        first.publish(1)
    assert first.publisher.has_unwritten
    media.before = media.after = lambda operation, key: None
    follower.poll()
    first.publish(1)
    assert not first.publisher.has_unwritten
    assert [uri for uri, _ in numbers(media).values()] == [f"1-1-00000{n}.ts" for n in range(3)]


def test_renditions_that_stand_apart_are_brought_into_step(
    media: FaultyMedia, follower: Follower, tmp_path: Path
) -> None:
    first = owner(media, tmp_path, 1)
    first.publish(2)

    def fail(operation: str, key: str) -> None:
        if operation == "put" and key.endswith("480p/index.m3u8"):
            raise StoreUnavailable("died here")

    media.before = fail
    with pytest.raises(StoreUnavailable):
        first.publish(1)
    media.before = lambda operation, key: None
    follower.poll()
    owner(media, tmp_path, 2).publish(1)
    assert numbers(media, "480p") == numbers(media, "720p")
    assert numbers(media)[3] == ("2-1-000000.ts", 1)


def test_a_rendition_that_comes_back_names_nothing_that_it_lacks(media: FaultyMedia, tmp_path: Path) -> None:
    owner(media, tmp_path, 1).publish(2)
    owner(media, tmp_path, 2, profile="sd").publish(3)
    third = owner(media, tmp_path, 3)
    third.publish(1)
    assert numbers(media, "720p") == {5: ("3-1-000000.ts", 2)}
    assert numbers(media, "480p")[5] == ("3-1-000000.ts", 2)


def test_a_ladder_that_comes_back_goes_on_with_its_numbers(
    media: FaultyMedia, follower: Follower, tmp_path: Path
) -> None:
    custom = (Rendition(name="mine", width=640, height=360, video_bps=500_000, audio_bps=64_000),)
    owner(media, tmp_path, 1).publish(4)
    follower.poll()
    between = owner(media, tmp_path, 2, renditions=custom)
    assert between.publisher.clock_s == 8
    between.publish(2)
    follower.poll()
    owner(media, tmp_path, 3).publish(2)
    follower.poll()
    assert follower.problems == []
    assert follower.seen["mine"] == {4: ("2-1-000000.ts", 1), 5: ("2-1-000001.ts", 1)}
    assert [follower.seen["720p"][number] for number in (6, 7)] == [("3-1-000000.ts", 2), ("3-1-000001.ts", 2)]


def test_only_an_intended_stop_says_so_and_it_can_be_taken_back(
    media: FaultyMedia, follower: Follower, tmp_path: Path
) -> None:
    first = owner(media, tmp_path, 1)
    first.publish(1)
    follower.poll()
    assert not follower.ended
    first.publisher.end()
    follower.poll()
    assert follower.ended
    owner(media, tmp_path, 2)
    follower.poll()
    assert not follower.ended


def test_nothing_is_said_of_a_stream_that_never_began(store: MemoryMedia, media: FaultyMedia, tmp_path: Path) -> None:
    owner(media, tmp_path, 1).publisher.end()
    assert store.objects == {}


def test_without_a_safe_claim_nothing_is_written(store: MemoryMedia, media: FaultyMedia, tmp_path: Path) -> None:
    is_safe = [True]
    first = owner(media, tmp_path, 1, allowed=lambda: is_safe[0])
    first.publish(1)
    before = dict(store.objects)
    is_safe[0] = False
    segment = first.segment()
    first.now_s += 60
    assert "the claim could not be renewed" in str(first.publisher.publish(segment))
    with pytest.raises(ClaimNotRenewed):
        first.publisher.flush()
    assert store.objects == before


def test_an_unreadable_playlist_does_not_bring_old_numbers_back(media: FaultyMedia, tmp_path: Path) -> None:
    owner(media, tmp_path, 1).publish(3)
    for rendition in ("720p", "480p"):
        media.put(f"streams/{STREAM}/{rendition}/index.m3u8", b"broken", "text/plain")
    owner(media, tmp_path, 2).publish(1)
    ((number, (uri, _)),) = numbers(media).items()
    assert uri == "2-1-000000.ts" and number > 1_000_000_000
