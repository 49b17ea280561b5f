"""Shared by the tests of publishing: a bucket, a follower of what is in it, and publishers of one owner each."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import m3u8

from chalicelib.domain.streams.ladders import ABR_PROFILES
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.integration.worker.follower import Follower
from worker.publishing.channel import Channel
from worker.publishing.cleaner import LAG_S, Cleaner
from worker.publishing.multivariant_playlist import MultivariantPlaylist
from worker.publishing.playlists.variants import MediaInfo
from worker.publishing.publisher import Publisher
from worker.publishing.segment_prober import Probe, SegmentProber
from worker.publishing.segment_queue import FinishedSegment
from worker.publishing.segment_uploader import SegmentUploader

STREAM = "stream-1"
MULTIVARIANT = f"streams/{STREAM}/index.m3u8"
MEDIA_INFO = MediaInfo(width=1280, height=720, fps=25.0, codecs="avc1.64001F,mp4a.40.2")


def key_of(rendition: str, name: str = "index.m3u8") -> str:
    return f"streams/{STREAM}/{rendition}/{name}"


class AtOnce(Executor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Owner:
    """A worker's publishing side of the stream, with a clock that the test moves."""

    def __init__(
        self, media, directory, epoch, *, profile="hd", window_s=60, allowed=lambda: True, renditions=(), probes=None
    ) -> None:
        self.now_s = 1_000.0
        # What its probe finds, from the bytes of a segment.
        self.probe: Probe = lambda body: MEDIA_INFO
        self.made = 0
        self.run = 1
        # When its segments are made.
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._directory = directory
        ladder = renditions or ABR_PROFILES[profile]
        self.channel = Channel(stream_id=STREAM, epoch=epoch, first_run=1, renditions=ladder, segment_seconds=2)
        self.uploads = SegmentUploader(media, self.channel, allowed, lambda: self.now_s)
        self.cleaner = Cleaner(media, self.channel, self.uploads.check, lambda: self.now_s)
        self.prober = SegmentProber(lambda body: self.probe(body), self.channel.rendition_names, probes or AtOnce())
        given, check = (media, self.channel), self.uploads.check
        files = self.multivariant = MultivariantPlaylist(*given, check, self.prober, lambda: self.now_s)
        self.publisher = Publisher(*given, self.uploads, self.cleaner, files, window_s, lambda: self.now())

    def segment(
        self, *, has_gap: bool = False, duration_s: float = 2.0, target_s: int = 2, size: int = 0
    ) -> FinishedSegment:
        """Return the next segment of its run, of so many bytes in each rendition."""
        name = f"{self.channel.epoch}-{self.run}-{self.made:06d}.ts"
        files = {rendition: self._directory / rendition / name for rendition in self.channel.rendition_names}
        for rendition, path in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{rendition} {name}".encode().ljust(size))
        self.made += 1
        at, ends_at_s = self.now() + timedelta(seconds=2 * self.made), 2.0 * self.made
        made = {"run": self.run, "name": name, "files": files, "at": at, "ends_at_s": ends_at_s, "has_gap": has_gap}
        made |= {"duration_s": duration_s, "found_at_s": self.now_s, "target_s": target_s}
        return FinishedSegment(**made, is_first_of_run=self.made == 1)

    def publish(self, count: int = 1, **segment: Any) -> list[str | None]:
        """Make and publish so many segments; return why each was left out."""
        return [self.publisher.publish(self.segment(**segment)) for _ in range(count)]

    def restart(self) -> None:
        """Begin the next run."""
        self.run += 1
        self.made = 0

    def clean(self, after_s: float = LAG_S) -> None:
        self.now_s += after_s
        self.cleaner.delete_due(self.publisher.named_keys)


class Bucket(FaultyMedia):
    """A media store in memory that fails on request, with a follower of what its owners publish."""

    def __init__(self, directory: Path) -> None:
        self.store = MemoryMedia()
        super().__init__(self.store)
        self.objects = self.store.objects
        self.follower = Follower(self.store, STREAM)
        self.owners: list[Owner] = []
        self._directory = directory

    def owner(self, epoch: int, **options: Any) -> Owner:
        """Return an owner that has taken over."""
        it = Owner(self, self._directory / str(epoch), epoch, **options)
        self.owners.append(it)
        it.publisher.take_over()
        return it

    def follow(self) -> Follower:
        """Read the playlists as viewers do."""
        self.follower.poll()
        return self.follower

    def numbers(self, rendition: str = "720p") -> dict[int, tuple[str, int, int]]:
        """Return the run, index and discontinuity sequence of each stored number."""
        follower = Follower(self.store, STREAM)
        follower.poll()
        assert follower.problems == []
        named = follower.seen.get(rendition, {}).items()
        return {n: (uri.rpartition("-")[0], int(uri.rpartition("-")[2][:-3]), breaks) for n, (uri, breaks) in named}

    def playlist(self, rendition: str) -> m3u8.M3U8:
        return m3u8.loads(self.objects[key_of(rendition)].body.decode())

    @contextmanager
    def failing(self, operation: str = "", ending: str = "", *, when: str = "before") -> Iterator[None]:
        """Let requests fail of this kind, for keys with this ending, before or after they are done."""

        def fail(asked: str, key: str) -> None:
            if operation in ("", asked) and key.endswith(ending):
                raise StoreUnavailable("no")

        setattr(self, when, fail)
        yield
        setattr(self, when, lambda operation, key: None)
