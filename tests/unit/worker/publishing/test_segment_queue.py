from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from worker.publishing import segment_queue
from worker.publishing.playlists.media_playlist import Entry, Playlist
from worker.publishing.segment_queue import FinishedSegment, SegmentQueue

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("720p", "480p")


class FakeFfmpeg:
    """A writer of segments and playlists like ffmpeg: the segment first, the playlist replaced by rename."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.playlists = {name: Playlist(target_s=2) for name in NAMES}
        for name in NAMES:
            (directory / name).mkdir(parents=True)

    def make(self, *indexes: int, duration_s: float = 2.0, only: tuple[str, ...] = NAMES) -> None:
        for index, rendition in product(indexes, only):
            directory, name = self.directory / rendition, f"1-1-{index:06d}.ts"
            (directory / name).write_bytes(b"x")
            entry = Entry(name, duration_s, START + timedelta(seconds=2 * index))
            playlist = self.playlists[rendition] = self.playlists[rendition].append(entry, 0)
            (directory / "index.m3u8.tmp").write_bytes(playlist.render(0))
            (directory / "index.m3u8.tmp").rename(directory / "index.m3u8")


@pytest.fixture
def ffmpeg(tmp_path: Path) -> FakeFfmpeg:
    return FakeFfmpeg(tmp_path / "1-1")


@pytest.fixture
def queue(ffmpeg: FakeFfmpeg) -> SegmentQueue:
    return SegmentQueue(1, ffmpeg.directory, NAMES, 10.0, 2)


def taken(queue: SegmentQueue) -> list[FinishedSegment]:
    return list(iter(queue.take, None))


def test_a_segment_is_there_when_all_renditions_have_it(ffmpeg: FakeFfmpeg, queue: SegmentQueue) -> None:
    assert queue.take() is None and queue.segment_at_s is None
    ffmpeg.make(0, only=("720p",))
    assert queue.take() is None
    ffmpeg.make(0, duration_s=2.04, only=("480p",))
    (segment,) = taken(queue)
    assert (segment.name, segment.duration_s, segment.at, segment.ends_at_s) == ("1-1-000000.ts", 2.04, START, 12.04)
    assert segment.is_first_of_run and not segment.has_gap
    assert all(path.is_file() for path in segment.files.values())
    assert taken(queue) == []


@pytest.mark.parametrize("first", [0, 999_998])
def test_each_is_handed_out_once_and_in_order(ffmpeg: FakeFfmpeg, queue: SegmentQueue, first: int) -> None:
    ffmpeg.make(*range(first, first + 3))
    segments = taken(queue)
    assert [segment.name for segment in segments] == [f"1-1-{first + n:06d}.ts" for n in range(3)]
    assert [segment.is_first_of_run for segment in segments] == [True, False, False]
    assert queue.ends_at_s == 16.0 + 2 * first


def test_a_segment_that_is_longer_than_was_hoped_for_raises_the_target(ffmpeg, queue) -> None:
    for index, duration_s in enumerate((2.0, 8.4, 2.0)):
        ffmpeg.make(index, duration_s=duration_s)
    assert [segment.target_s for segment in taken(queue)] == [2, 8, 8] and queue.target_s == 8


def test_what_was_missed_is_a_gap_and_its_file_is_removed(ffmpeg: FakeFfmpeg, queue: SegmentQueue) -> None:
    ffmpeg.make(0, 1, 2, only=("720p",))
    ffmpeg.make(0, 2, only=("480p",))
    first, second = taken(queue)
    assert not first.has_gap and second.has_gap and second.name == "1-1-000002.ts"
    assert not (ffmpeg.directory / "720p" / "1-1-000001.ts").exists()
    assert queue.ends_at_s == 16.0


def test_too_many_that_wait_are_given_up_from_the_oldest(ffmpeg, queue, monkeypatch) -> None:
    monkeypatch.setattr(segment_queue, "WAITING_MAX", 3)
    for index in range(5):
        ffmpeg.make(index)
        queue.refresh()
    segments = taken(queue)
    assert [segment.name for segment in segments] == [f"1-1-00000{n}.ts" for n in (2, 3, 4)]
    assert [segment.has_gap for segment in segments] == [True, False, False]
    assert not (ffmpeg.directory / "720p" / "1-1-000001.ts").exists()


def test_the_last_is_still_taken_after_the_end(ffmpeg: FakeFfmpeg, queue: SegmentQueue) -> None:
    # A playlist that makes no sense is passed over.
    (ffmpeg.directory / "720p" / "index.m3u8").write_bytes(b"\xff")
    assert queue.take() is None
    ffmpeg.make(0, duration_s=0.4)
    queue.close()
    assert queue.is_closed and len(taken(queue)) == 1
    queue.discard()
    assert not ffmpeg.directory.exists()
