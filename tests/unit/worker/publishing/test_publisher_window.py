"""The window of a playlist follows the clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.streams.stream import WINDOW_MINUTES_MAX
from chalicelib.ports.common import StoreUnavailable
from tests.unit.worker.publishing.owner import Bucket

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
