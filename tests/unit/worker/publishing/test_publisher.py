import pytest

from chalicelib.domain.streams.ladders import Rendition
from chalicelib.ports.common import StoreUnavailable
from tests.unit.worker.publishing.owner import Bucket, key_of
from worker.publishing.fenced_object import ClaimLost
from worker.publishing.segment_uploader import ClaimNotRenewed


def test_segments_come_before_the_playlists_that_name_them(bucket: Bucket) -> None:
    order: list[str] = []
    bucket.after = lambda operation, key: order.append(key.rpartition("/")[2]) if operation == "put" else None
    bucket.owner(1).publish()
    assert order == ["1-1-000000.ts"] * 2 + ["index.m3u8"] * 3
    assert bucket.numbers() == {0: ("1-1", 0, 0)} == bucket.numbers("480p")
    # A segment carries how long it plays.
    stored = [dict(each.metadata) for key, each in bucket.objects.items() if key.endswith(".ts")]
    assert stored == [{"media-ms": "2000"}] * 2


def test_a_new_run_goes_on_and_so_does_another_worker_and_the_old_one_is_shut_out(bucket: Bucket) -> None:
    old = bucket.owner(1)
    old.publish(2)
    bucket.follow()
    old.restart()
    old.publish(2)
    runs = {0: ("1-1", 0, 0), 1: ("1-1", 1, 0), 2: ("1-2", 0, 1), 3: ("1-2", 1, 1)}
    assert bucket.numbers() == runs
    new = bucket.owner(2)
    # The new one has published nothing yet, and the old one can do no more harm.
    with pytest.raises(ClaimLost):
        old.publish()
    new.publish()
    for attempt in (old.publish, old.publisher.take_over):
        with pytest.raises(ClaimLost):
            attempt()
    assert bucket.numbers() == {**runs, 4: ("2-1", 0, 2)}
    assert new.publisher.clock_s == 2.0


def test_an_older_owner_is_not_written_over_though_the_store_falls_silent_as_it_is_noticed(bucket: Bucket) -> None:
    second = bucket.owner(2)
    bucket.owner(1).publish(3)
    bucket.follow()
    asked: list[str] = []

    def silent(operation: str, key: str) -> None:
        # The written playlists are read, but another takeover would have to read them once more.
        if key in asked:
            raise StoreUnavailable("silent")
        if operation == "get":
            asked.append(key)

    bucket.before = silent
    for attempt in (second.publish, second.publisher.end):
        with pytest.raises(StoreUnavailable):
            attempt()
    bucket.before = lambda operation, key: None
    assert second.publish(has_gap=True) == [None]
    assert bucket.numbers() == bucket.numbers("480p")
    assert bucket.numbers() == {**{n: ("1-1", n, 0) for n in range(3)}, 3: ("2-1", 0, 1), 4: ("2-1", 1, 2)}


def test_no_segment_is_lost_where_the_store_fails_for_15_s(bucket: Bucket) -> None:
    first = bucket.owner(1)
    waiting, back_at_s = [first.segment() for _ in range(2)], first.now_s + 15

    def before(operation: str, key: str) -> None:
        if operation == "put" and first.now_s < back_at_s:
            first.now_s += 5
            raise StoreUnavailable("no")

    bucket.before = before
    assert [first.publisher.publish(segment) for segment in waiting] == [None, None]
    assert bucket.numbers() == {0: ("1-1", 0, 0), 1: ("1-1", 1, 0)}


def test_a_segment_that_cannot_be_stored_is_left_out_everywhere(bucket: Bucket) -> None:
    first, failures = bucket.owner(1), iter([True, True, False])

    def before(operation: str, key: str) -> None:
        if operation == "put" and key.endswith("480p/1-1-000002.ts"):
            first.now_s += 1
            raise StoreUnavailable("no")
        # An upload is tried again.
        if operation == "put" and key.endswith("720p/1-1-000001.ts") and next(failures):
            raise StoreUnavailable("no")

    bucket.before = before
    assert first.publish(2) == [None, None]
    assert first.publish(3) == ["StoreUnavailable: no", None, None]
    left = {0: ("1-1", 0, 0), 1: ("1-1", 1, 0), 2: ("1-1", 3, 1), 3: ("1-1", 4, 1)}
    assert bucket.numbers("720p") == bucket.numbers("480p") == left
    # What one rendition has of it is deleted later.
    first.clean()
    assert key_of("720p", "1-1-000002.ts") not in bucket.objects


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_playlist_whose_write_failed_is_written_with_the_next(bucket: Bucket, when: str) -> None:
    """The failed write may have arrived, with only its answer lost."""
    first = bucket.owner(1)
    first.publish()
    with bucket.failing("put", ".m3u8", when=when), pytest.raises(StoreUnavailable):
        first.publish()
    assert first.publisher.has_unwritten
    bucket.follow()
    first.publish()
    assert not first.publisher.has_unwritten
    assert [named[:2] for named in bucket.numbers().values()] == [("1-1", n) for n in range(3)]


def test_renditions_that_stand_apart_are_brought_into_step(bucket: Bucket) -> None:
    first = bucket.owner(1)
    first.publish(2)
    with bucket.failing("put", "480p/index.m3u8"), pytest.raises(StoreUnavailable):
        first.publish()
    bucket.follow()
    bucket.owner(2).publish()
    assert bucket.numbers("480p") == bucket.numbers("720p")
    assert bucket.numbers()[3] == ("2-1", 0, 1)
    # A size is never taken for another rendition's.
    sizes = {name: [each.bitrate is not None for each in bucket.playlist(name).segments] for name in ("720p", "480p")}
    assert sizes == {"720p": [True] * 4, "480p": [True, True, False, True]}


def test_a_rendition_that_comes_back_names_nothing_that_it_lacks(bucket: Bucket) -> None:
    bucket.owner(1).publish(2)
    bucket.owner(2, profile="sd").publish(3)
    bucket.owner(3).publish()
    assert bucket.numbers("720p") == {5: ("3-1", 0, 2)} and bucket.numbers("480p")[5] == ("3-1", 0, 2)


def test_a_ladder_that_comes_back_goes_on_with_its_numbers(bucket: Bucket) -> None:
    custom = (Rendition(name="mine", width=640, height=360, video_bps=500_000, audio_bps=64_000),)
    bucket.owner(1).publish(4)
    bucket.follow()
    between = bucket.owner(2, renditions=custom)
    assert between.publisher.clock_s == 8
    between.publish(2)
    assert bucket.numbers("mine") == {4: ("2-1", 0, 1), 5: ("2-1", 1, 1)}
    bucket.follow()
    bucket.owner(3).publish(2)
    assert {n: bucket.numbers()[n] for n in (6, 7)} == {6: ("3-1", 0, 2), 7: ("3-1", 1, 2)}


def test_only_an_intended_stop_says_so_and_it_can_be_taken_back(bucket: Bucket) -> None:
    first = bucket.owner(1)
    first.publisher.end()
    assert bucket.objects == {}, "it has never begun"
    first.publish()
    assert not bucket.follow().ended
    first.publisher.end()
    assert bucket.follow().ended
    bucket.owner(2)
    assert not bucket.follow().ended


def test_without_a_safe_claim_nothing_is_written(bucket: Bucket) -> None:
    is_safe = [True]
    first = bucket.owner(1, allowed=lambda: is_safe[0])
    first.publish()
    before = dict(bucket.objects)
    is_safe[0] = False
    segment = first.segment()
    first.now_s += 60
    assert "the claim could not be renewed" in str(first.publisher.publish(segment))
    with pytest.raises(ClaimNotRenewed):
        first.publisher.flush()
    assert bucket.objects == before


def test_an_unreadable_playlist_does_not_bring_old_numbers_back(bucket: Bucket) -> None:
    bucket.owner(1).publish(3)
    for rendition in ("720p", "480p"):
        bucket.put(key_of(rendition), b"broken", "text/plain")
    bucket.owner(2).publish()
    ((number, named),) = bucket.numbers().items()
    assert named[:2] == ("2-1", 0) and number > 1_000_000_000
