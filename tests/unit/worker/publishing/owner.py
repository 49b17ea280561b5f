"""Shared by the tests of publishing: segments as files, and a publisher of one owner."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.domain.streams.ladders import ABR_PROFILES, Rendition
from chalicelib.ports.media import MediaStore
from tests.integration.worker.follower import Follower
from worker.publishing.channel import Channel
from worker.publishing.cleaner import Cleaner
from worker.publishing.multivariant_playlist import MultivariantPlaylist
from worker.publishing.playlists.variants import MediaInfo
from worker.publishing.publisher import Publisher
from worker.publishing.segment_prober import Probe, SegmentProber
from worker.publishing.segment_queue import FinishedSegment
from worker.publishing.segment_uploader import SegmentUploader

STREAM = "stream-1"
MEDIA_INFO = MediaInfo(width=1280, height=720, fps=25.0, codecs="avc1.64001F,mp4a.40.2")


class AtOnce(Executor):
    """An executor that runs everything at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Owner:
    """A worker's publishing side of the stream, with a clock that the test moves."""

    def __init__(
        self,
        media: MediaStore,
        directory: Path,
        epoch: int,
        *,
        profile: str = "hd",
        window_s: float = 60,
        allowed: Callable[[], bool] = lambda: True,
        segment_seconds: int = 2,
        renditions: tuple[Rendition, ...] | None = None,
        probes: Executor | None = None,
    ) -> None:
        self.now_s = 1_000.0
        # What its probe finds, from the bytes of a segment.
        self.probe: Probe = lambda body: MEDIA_INFO
        self.made = 0
        self.run = 1
        # When its segments are made.
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._directory = directory
        self.channel = Channel(
            stream_id=STREAM,
            epoch=epoch,
            first_run=1,
            renditions=renditions or ABR_PROFILES[profile],
            segment_seconds=segment_seconds,
        )
        self.uploads = SegmentUploader(media, self.channel, allowed, lambda: self.now_s)
        self.cleaner = Cleaner(media, self.channel, self.uploads.check, lambda: self.now_s)
        self.prober = SegmentProber(lambda body: self.probe(body), self.channel.rendition_names, probes or AtOnce())
        self.multivariant = MultivariantPlaylist(
            media, self.channel, self.uploads.check, self.prober, lambda: self.now_s
        )
        self.publisher = Publisher(
            media, self.channel, self.uploads, self.cleaner, self.multivariant, window_s, lambda: self.now()
        )

    def segment(
        self, *, has_gap: bool = False, duration_s: float = 2.0, target_s: int = 2, size: int | None = None
    ) -> FinishedSegment:
        """Return the next segment of its run, of so many bytes in each rendition."""
        name = f"{self.channel.epoch}-{self.run}-{self.made:06d}.ts"
        files = {}
        for rendition in self.channel.rendition_names:
            path = self._directory / rendition / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{rendition} {name}".encode().ljust(size or 0))
            files[rendition] = path
        self.made += 1
        return FinishedSegment(
            run=self.run,
            name=name,
            duration_s=duration_s,
            at=self.now() + timedelta(seconds=2 * self.made),
            ends_at_s=2.0 * self.made,
            files=files,
            is_first_of_run=self.made == 1,
            has_gap=has_gap,
            found_at_s=self.now_s,
            target_s=target_s,
        )

    def publish(self, count: int = 1) -> list[str | None]:
        """Make and publish so many segments."""
        return [self.publisher.publish(self.segment()) for _ in range(count)]

    def restart(self) -> None:
        """Begin the next run."""
        self.run += 1
        self.made = 0


def numbers(media: MediaStore, rendition: str = "720p") -> dict[int, tuple[str, int]]:
    """Return the stored numbers with their URIs and discontinuity sequences."""
    follower = Follower(media, STREAM)
    follower.poll()
    assert follower.problems == []
    return follower.seen.get(rendition, {})


def owner(media: MediaStore, tmp_path: Path, epoch: int, **options: object) -> Owner:
    """Return an owner that has taken over."""
    it = Owner(media, tmp_path / str(epoch), epoch, **options)  # type: ignore[arg-type]
    it.publisher.take_over()
    return it
