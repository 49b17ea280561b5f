from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.streams.ladders import Rendition
from chalicelib.domain.streams.stream import WINDOW_MINUTES_MAX
from chalicelib.ports.common import StoreUnavailable
from tests.unit.worker.publishing.owner import MULTIVARIANT, STREAM, Bucket, key_of
from worker.publishing.cleaner import LAG_S
from worker.publishing.fenced_object import ClaimLost

DROPPED = key_of("720p")


def test_the_window_moves_and_old_segments_go_after_the_lag(bucket: Bucket) -> None:
    first = bucket.owner(1, window_s=6)
    first.publish(5)
    assert sorted(bucket.numbers()) == [2, 3, 4]
    first.clean(after_s=0)
    assert key_of("720p", "1-1-000000.ts") in bucket.objects
    # A store that does not delete is asked again.
    with bucket.failing("delete"):
        first.clean()
    assert key_of("720p", "1-1-000000.ts") in bucket.objects
    first.clean(after_s=60)
    segments = [key for key in bucket.objects if "720p" in key and key.endswith(".ts")]
    assert segments == [key_of("720p", f"1-1-00000{n}.ts") for n in (2, 3, 4)]


def test_leftovers_of_owners_before_are_swept(bucket: Bucket) -> None:
    bucket.owner(1).publish(2)
    for left in ("720p/1-1-000099.ts", "480p/0-7-000001.ts", "1080p/1-1-000001.ts", "1080p/index.m3u8"):
        bucket.put(f"streams/{STREAM}/{left}", b"left", "video/mp2t")
    others = f"streams/{STREAM}0/720p/1-1-000001.ts"
    # Segments of later owners are no leftovers.
    kept = {others, key_of("720p", "notes.txt"), key_of("720p", "2-1-000050.ts"), key_of("480p", "3-1-000001.ts")}
    for key in kept:
        bucket.put(key, b"kept", "text/plain")
    new = bucket.owner(2)
    new.publish()
    new.clean(after_s=LAG_S - 1)
    assert key_of("720p", "1-1-000099.ts") in bucket.objects
    new.clean(after_s=1)
    left = set(bucket.objects)
    assert not any("000099" in key or "0-7" in key or "1080p" in key for key in left)
    assert kept | {MULTIVARIANT} | new.publisher.named_keys() <= left


def test_who_was_replaced_deletes_nothing(bucket: Bucket) -> None:
    """A replaced owner does not take a rendition of a newer ladder for a dropped one, either."""
    holds = True
    old = bucket.owner(1, window_s=2, allowed=lambda: holds)
    old.publish(5)
    holds = False
    bucket.put(key_of("1080p"), b"the next owner's", "text/plain")
    before = set(bucket.objects)
    old.clean()
    assert set(bucket.objects) == before


def test_a_rendition_that_is_dropped_has_no_playlist_any_more_once_the_ladder_is_live(bucket: Bucket) -> None:
    """Viewers would stay at a playlist without new segments, and pay."""
    bucket.owner(1).publish(2)
    small = bucket.owner(2, profile="sd")
    assert DROPPED in bucket.objects, "until the new ladder is there, the old one is of use"
    order: list[str] = []
    bucket.before = lambda operation, key: order.append(f"{operation} {key}") if operation != "get" else None
    small.publish()
    assert order[-2:] == [f"put {MULTIVARIANT}", f"delete {DROPPED}"]
    assert DROPPED not in bucket.objects and key_of("720p", "1-1-000000.ts") in bucket.objects
    small.publish()
    assert sum(operation.startswith("delete") for operation in order) == 1


def test_a_dropped_playlist_that_could_not_be_deleted_is_deleted_with_the_next_segment(bucket: Bucket) -> None:
    """It is one of an operator's own ladder, known from what is stored."""
    custom = Rendition(name="tiny", width=320, height=180, video_bps=300_000, audio_bps=64_000)
    bucket.owner(1, renditions=(custom,)).publish(2)
    small = bucket.owner(2, profile="sd")
    with bucket.failing("delete"):
        assert small.publish() == [None] and not small.publisher.has_unwritten
    assert key_of("tiny") in bucket.objects
    small.publish()
    assert key_of("tiny") not in bucket.objects and bucket.follow().renditions() == ["480p"]


def test_an_owner_that_lost_its_claim_drops_nothing_of_the_new_owners(bucket: Bucket) -> None:
    bucket.owner(1).publish()
    small = bucket.owner(2, profile="sd")

    def overtake(operation: str, key: str) -> None:
        if operation == "put" and key == MULTIVARIANT:
            bucket.after = lambda operation, key: None
            bucket.owner(3).publish()

    bucket.after = overtake
    with pytest.raises(ClaimLost):
        small.publish()
    assert DROPPED in bucket.objects


WINDOW_S_MAX = WINDOW_MINUTES_MAX * 60


def test_a_stream_that_was_paused_for_days_goes_on_without_its_expired_segments(bucket: Bucket) -> None:
    first = bucket.owner(1, window_s=WINDOW_S_MAX)
    first.now = lambda: datetime.now(UTC) - timedelta(days=3)
    first.publish(4)
    bucket.follow()
    # What the bucket's rule does meanwhile.
    assert bucket.store.expiring == {key for key in bucket.objects if key.endswith(".ts")}
    bucket.delete(sorted(bucket.store.expiring))
    bucket.owner(2, window_s=WINDOW_S_MAX).publish(2)
    # A follower finds all that is named.
    assert bucket.numbers() == {4: ("2-1", 0, 1), 5: ("2-1", 1, 1)} == bucket.numbers("480p")


def test_a_sender_who_comes_back_a_day_later_begins_without_yesterdays_segments(bucket: Bucket) -> None:
    """The worker has waited all night, and took nothing over."""
    only, now = bucket.owner(1), datetime(2026, 1, 1, tzinfo=UTC)
    only.now = lambda: now
    only.publish(5)
    bucket.follow()
    now += timedelta(days=1)
    only.restart()
    only.publish()
    assert bucket.numbers() == {5: ("1-2", 0, 1)} == bucket.numbers("480p")
    # With less than players begin with, it does not count as live yet.
    assert not only.publisher.is_playable
    only.publish(2)
    assert sorted(bucket.numbers()) == [5, 6, 7] and only.publisher.is_playable


def test_a_sender_whose_clock_is_slow_keeps_the_window(bucket: Bucket) -> None:
    only = bucket.owner(1)
    for _ in range(6):
        segment = only.segment()
        # After 300 ppm for some months, say.
        only.publisher.publish(replace(segment, at=segment.at - timedelta(hours=1)))
    only.restart()
    segment = only.segment()
    only.publisher.publish(replace(segment, at=segment.at - timedelta(hours=1)))
    assert sorted(bucket.numbers()) == [0, 1, 2, 3, 4, 5, 6]


def test_a_playlist_that_was_not_written_for_long_is_written_without_what_is_old(bucket: Bucket) -> None:
    only, now = bucket.owner(1), datetime(2026, 1, 1, tzinfo=UTC)
    only.now = lambda: now
    only.publish(4)
    bucket.follow()
    with bucket.failing(ending=".m3u8"), pytest.raises(StoreUnavailable):
        only.publish(has_gap=True)
    now += timedelta(minutes=10)
    only.publisher.flush()
    assert bucket.numbers() == {4: ("1-1", 4, 1)}
    only.publish(4)
    now += timedelta(minutes=10)
    only.publisher.end()
    assert bucket.follow().ended and sorted(bucket.numbers()) == [6, 7, 8]
