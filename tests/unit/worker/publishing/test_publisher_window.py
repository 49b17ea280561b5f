"""The window of a playlist follows the clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.domain.streams.stream import WINDOW_MINUTES_MAX
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.integration.worker.follower import Follower
from tests.unit.worker.publishing.owner import STREAM, numbers, owner

ROOT = f"streams/{STREAM}/index.m3u8"
WINDOW_S_MAX = WINDOW_MINUTES_MAX * 60


def test_a_stream_that_was_paused_for_days_goes_on_without_its_expired_segments(
    store: MemoryMedia, media: FaultyMedia, follower: Follower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = owner(media, tmp_path, 1, window_s=WINDOW_S_MAX)
    monkeypatch.setattr(first, "now", lambda: datetime.now(UTC) - timedelta(days=3))
    first.publish(4)
    follower.poll()
    # What the bucket's rule does meanwhile.
    assert store.expiring == {key for key in store.objects if key.endswith(".ts")}
    store.delete(sorted(store.expiring))
    owner(media, tmp_path, 2, window_s=WINDOW_S_MAX).publish(2)
    assert numbers(media) == {4: ("2-1-000000.ts", 1), 5: ("2-1-000001.ts", 1)} == numbers(media, "480p")
    named_keys = {
        f"streams/{STREAM}/{name}/{uri}" for name in ("720p", "480p") for uri, _ in numbers(media, name).values()
    }
    assert named_keys <= store.objects.keys()


def test_a_sender_who_comes_back_a_day_later_begins_without_yesterdays_segments(
    media: FaultyMedia, follower: Follower, tmp_path: Path
) -> None:
    """The worker has waited all night, and took nothing over."""
    only, now = owner(media, tmp_path, 1), datetime(2026, 1, 1, tzinfo=UTC)
    only.now = lambda: now
    only.publish(5)
    follower.poll()
    now += timedelta(days=1)
    only.restart()
    only.publish(1)
    assert numbers(media) == {5: ("1-2-000000.ts", 1)} == numbers(media, "480p")
    # With less than players begin with, it does not count as live yet.
    assert not only.publisher.is_playable
    only.publish(2)
    assert sorted(numbers(media)) == [5, 6, 7] and only.publisher.is_playable


def test_a_sender_whose_clock_is_slow_keeps_the_window(media: FaultyMedia, follower: Follower, tmp_path: Path) -> None:
    only = owner(media, tmp_path, 1)
    for _ in range(6):
        segment = only.segment()
        # After 300 ppm for some months, say.
        only.publisher.publish(replace(segment, at=segment.at - timedelta(hours=1)))
    assert sorted(numbers(media)) == [0, 1, 2, 3, 4, 5]


def test_a_playlist_that_was_not_written_for_long_is_written_without_what_is_old(
    media: FaultyMedia, follower: Follower, tmp_path: Path
) -> None:
    only, now = owner(media, tmp_path, 1), datetime(2026, 1, 1, tzinfo=UTC)
    only.now = lambda: now
    only.publish(4)
    follower.poll()

    def silent(operation: str, key: str) -> None:
        if key.endswith(".m3u8"):
            raise StoreUnavailable("silent")

    media.before = silent
    with pytest.raises(StoreUnavailable):
        only.publisher.publish(only.segment(has_gap=True))
    media.before = lambda operation, key: None
    now += timedelta(minutes=10)
    only.publisher.flush()
    assert numbers(media) == {4: ("1-1-000004.ts", 1)}
    only.publish(4)
    now += timedelta(minutes=10)
    only.publisher.end()
    follower.poll()
    assert follower.ended and sorted(numbers(media)) == [6, 7, 8]
