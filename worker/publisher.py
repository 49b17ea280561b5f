"""From finished segments to what viewers fetch: segments first, then the playlists that name them.

All renditions go in step: they have the same numbers and the same discontinuities at all times, as the standard wants
of variants, so a segment that cannot be stored in one rendition is left out of all.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from chalicelib.domain.streams import Rendition, media_key
from chalicelib.ports import MediaStore, StoreUnavailable
from worker.cleanup import Cleaner
from worker.fenced import FencedObject, Overtaken
from worker.inbox import PLAYLIST, Finished
from worker.playlist import Entry, Playlist, Variant, render_multivariant
from worker.takeover import continued, read_stored

log = logging.getLogger(__name__)

SEGMENT_TYPE = "video/mp2t"
RETRY_DELAYS_S = (0.2, 0.4, 0.8, 1.0)
# How long after its completion a segment is still worth storing.
WORTH_TARGETS = 4
WORTH_S_MIN = 10.0
# MPEG-TS adds its own headers to what the encoders were allowed: measured 4 to 8 percent at these bitrates.
OVERHEAD = 1.08


class Unpublishable(Exception):
    """The claim may not be acted on now (it could not be renewed), so nothing is written."""


class Publisher:
    """The published side of one claim. Used by one thread; only the uploads of one step run beside each other."""

    def __init__(
        self,
        media: MediaStore,
        stream_id: str,
        epoch: int,
        renditions: Sequence[Rendition],
        segment_seconds: int,
        window_s: float,
        allowed: Callable[[], bool],
        cleaner: Cleaner,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.window_s = window_s
        self._media = media
        self._stream_id = stream_id
        self._epoch = epoch
        self._renditions = tuple(renditions)
        self._segment_seconds = segment_seconds
        self._allowed = allowed
        self._cleaner = cleaner
        self._monotonic = monotonic
        self._objects = {r.name: FencedObject(media, self._key(r.name, PLAYLIST), epoch) for r in renditions}
        self._root = FencedObject(media, media_key(stream_id, PLAYLIST), epoch)
        self._playlists: dict[str, Playlist] = {}
        self._root_written = False
        self._unwritten = False
        self._pool = ThreadPoolExecutor(max_workers=len(renditions), thread_name_prefix=f"put-{stream_id}")

    @property
    def unwritten(self) -> bool:
        """Whether the stored playlists lag behind, since a write failed."""
        return self._unwritten

    def named(self) -> set[str]:
        """The keys of all segments that the playlists name."""
        return {self._key(name, entry.uri) for name, playlist in self._playlists.items() for entry in playlist.entries}

    def take_over(self) -> None:
        """Read what the owners before have published and shut them out. Raises `Lost` or `StoreUnavailable`."""
        while True:
            self._check()
            stored = {name: read_stored(item) for name, item in self._objects.items()}
            self._root.read()
            try:
                # Written back under our epoch at once: from here on every older owner's ETag is wrong.
                for name, playlist in stored.items():
                    if playlist is not None:
                        self._objects[name].write(playlist.render(self._epoch))
                break
            except Overtaken as error:
                log.info("an older owner is still writing", extra={"stream_id": self._stream_id, "error": str(error)})
        cut = datetime.now(UTC) - timedelta(seconds=self.window_s)
        followed = continued(stored, self._exists, self._segment_seconds)
        self._playlists = {
            name: playlist.since(cut).with_target(self._segment_seconds).interrupted()
            for name, playlist in followed.items()
        }
        self._drop(followed)

    def publish(self, segment: Finished) -> bool:
        """Store a segment and name it. False if it was left out. Raises `Lost` or `StoreUnavailable` (the latter when
        it is stored, but not named yet: `flush` does that later)."""
        if segment.first_of_run or segment.gap:
            self._interrupt()
        if not self._store(segment):
            self._interrupt()
            self._cleaner.add(self._key(name, segment.name) for name in segment.files)
            return False
        before = self._playlists
        entry = Entry(uri=segment.name, duration_s=segment.duration_s, at=segment.at)
        self._playlists = {n: p.append(entry).trimmed(self.window_s) for n, p in before.items()}
        self._unwritten = True
        self._drop(before)
        self.flush()
        return True

    def flush(self) -> None:
        """Write the playlists that are not written yet, the multivariant one last."""
        self._check()
        try:
            self._write(ended=False)
            if not self._root_written:
                self._root.write(render_multivariant([_variant(r) for r in self._renditions], self._epoch))
                self._root_written = True
        except Overtaken:
            # Somebody older wrote between our reading and our first write; only then can this be.
            mine = self._playlists
            self.take_over()
            self._playlists = {name: _regrown(p, mine[name]) for name, p in self._playlists.items()}
            self._write(ended=False)
        self._unwritten = False
        self._cleaner.published()

    def end(self) -> None:
        """Say that nothing follows: the operator stopped the stream."""
        self._check()
        if any(playlist.next_sequence for playlist in self._playlists.values()):
            self._write(ended=True)

    def close(self) -> None:
        """Give the threads back."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _write(self, *, ended: bool) -> None:
        def write(name: str) -> None:
            self._objects[name].write(self._playlists[name].render(self._epoch, ended=ended))

        self._together(write, self._objects)

    def _store(self, segment: Finished) -> bool:
        deadline_s = segment.found_at_s + max(WORTH_TARGETS * self._segment_seconds, WORTH_S_MIN)

        def store(name: str) -> None:
            body = segment.files[name].read_bytes()
            for attempt in range(1000):
                try:
                    self._check()
                    self._media.put(self._key(name, segment.name), body, SEGMENT_TYPE)
                    return
                except (StoreUnavailable, Unpublishable):
                    delay_s = RETRY_DELAYS_S[min(attempt, len(RETRY_DELAYS_S) - 1)]
                    if self._monotonic() + delay_s > deadline_s:
                        raise
                    time.sleep(delay_s)

        try:
            self._together(store, segment.files)
        except (StoreUnavailable, Unpublishable, OSError) as error:
            what = {"stream_id": self._stream_id, "segment": segment.name, "error": str(error)}
            log.error("a segment is left out", extra=what)
            return False
        return True

    def _together(self, work: Callable[[str], None], names: Iterable[str]) -> None:
        futures = [self._pool.submit(work, name) for name in names]
        errors = [error for error in (future.exception() for future in futures) if error]
        if errors:
            raise errors[0]

    def _drop(self, before: dict[str, Playlist]) -> None:
        for name, playlist in before.items():
            gone = playlist.entries[: self._playlists[name].first_sequence - playlist.first_sequence]
            self._cleaner.add(self._key(name, entry.uri) for entry in gone)

    def _interrupt(self) -> None:
        self._playlists = {name: playlist.interrupted() for name, playlist in self._playlists.items()}

    def _check(self) -> None:
        if not self._allowed():
            raise Unpublishable("the claim could not be renewed in time")

    def _exists(self, rendition: str, uri: str) -> bool:
        key = self._key(rendition, uri)
        return key in self._media.list(key, limit=1)

    def _key(self, rendition: str, file: str) -> str:
        return media_key(self._stream_id, f"{rendition}/{file}")


def _variant(rendition: Rendition) -> Variant:
    peak = int((rendition.video_bps + rendition.audio_bps) * OVERHEAD)
    return Variant(f"{rendition.name}/{PLAYLIST}", peak, rendition.width, rendition.height)


def _regrown(taken: Playlist, mine: Playlist) -> Playlist:
    raise NotImplementedError
