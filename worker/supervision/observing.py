"""Collects what a worker knows of its stream, for the rules of `worker.issues`."""

import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from chalicelib.domain.streams.ingest import Ingest, ListenProtocol
from chalicelib.domain.streams.issues.ingest_refusals import IngestRefusal, decode, ingest_refusals_key
from chalicelib.domain.streams.runtime import source_name
from chalicelib.domain.streams.stream import Stream
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.streams.media import MediaStore
from worker.encoding.transcoder import Progress
from worker.ingest.failover import Failover
from worker.ingest.source_opener import SourceOpener
from worker.ingest.source_pool import SourcePool
from worker.issues.observation import Delivery, Observation, PlayedSource, Trouble
from worker.publishing.publication import Publication
from worker.supervision.driver import Driver

# The ingest's collector writes every 10 s.
REFUSALS_INTERVAL_S = 10.0


class RefusalReader:
    """Reads the rejections of the RTMP ingest now and then, in a thread: a slow store never affects the stream."""

    def __init__(self, media: MediaStore, stream_id: str) -> None:
        self._media = media
        self._key = ingest_refusals_key(stream_id)
        self._newest: tuple[IngestRefusal, ...] | None = None
        self._due_s = 0.0
        self._thread: threading.Thread | None = None

    def newest(self, now_s: float) -> tuple[IngestRefusal, ...] | None:
        """Return what was read last, None if that failed or nothing was read yet."""
        is_reading = self._thread is not None and self._thread.is_alive()
        if now_s >= self._due_s and not is_reading:
            self._due_s = now_s + REFUSALS_INTERVAL_S
            self._thread = threading.Thread(target=self._read, name="refusals", daemon=True)
            self._thread.start()
        return self._newest

    def _read(self) -> None:
        found: tuple[IngestRefusal, ...] | None = None
        with suppress(StoreUnavailable):
            stored = self._media.get(self._key)
            found = decode(stored.body) if stored else ()
        self._newest = found


class Observer:
    """Makes the observations of one stream. Used by the pipeline's thread."""

    def __init__(self, media: MediaStore, now_ms: Callable[[], int], stream_id: str, scratch_dir: Path) -> None:
        self._refusals = RefusalReader(media, stream_id)
        self._now_ms = now_ms
        self._scratch_dir = scratch_dir
        # Numbers for connections, by the receiver of each.
        self._receiver: object = None
        self._connection = 0

    def observe(self, now_s: float, stream: Stream, driver: Driver, publication: Publication | None) -> Observation:
        """Return what is known now."""
        run, pool, listener = driver.run, driver.pool, _listener(stream)
        is_rtmp = listener is not None and listener[1].protocol is ListenProtocol.RTMP
        progress = driver.progress
        return Observation(
            now_ms=self._now_ms(),
            run=driver.runs,
            repairs=progress.repairs if progress else None,
            is_copied=run is not None and run.is_copied,
            speed=progress.speed if progress else None,
            pictures_per_s=run.pictures_per_s if run else None,
            playing=driver.source,
            source=self._played(driver, pool) if pool and run else None,
            troubles=_troubles(pool.failover) if pool else None,
            listener=source_name(listener[0]) if listener else None,
            is_rtmp=is_rtmp,
            connected_s=tuple(pool.connected_s) if pool else (),
            rejected=pool.rejected if pool else None,
            refusals=self._refusals.newest(now_s) if is_rtmp else None,
            frozen_sources=pool.frozen_sources() if pool else (),
            published_fault=driver.published_fault(now_s),
            ladder_bps=stream.renditions[0].bitrate_bps,
            delivery=_delivery(now_s, publication),
            disk_free_bytes=_free_bytes(self._scratch_dir),
        )

    def _played(self, driver: Driver, pool: SourcePool) -> PlayedSource | None:
        opener = pool.playing
        if opener is None or opener.source is None or opener.receiver is None:
            return None
        if opener.receiver is not self._receiver:
            self._receiver, self._connection = opener.receiver, self._connection + 1
        return _source(driver.source or "", self._connection, opener, driver.progress)


def _source(name: str, connection: int, opener: SourceOpener, progress: Progress | None) -> PlayedSource:
    source, receiver = opener.source, opener.receiver
    assert source and receiver
    # A size that changes within a track is known to the decoder alone.
    width, height = (progress and progress.size) or (source.width, source.height)
    return PlayedSource(
        name=name,
        connection=connection,
        width=width,
        height=height,
        is_interlaced=source.is_interlaced,
        rotation=source.rotation,
        has_audio=source.has_audio,
        pictures_per_s=float(source.rate) if source.rate else None,
        bitrate_bps=receiver.bitrate_bps,
        keyframe_interval_s=receiver.keyframes.longest_s,
        moves=progress.activity.moves if progress and progress.activity else None,
    )


def _listener(stream: Stream) -> tuple[int, Ingest] | None:
    found = stream.listening
    return (stream.sources.index(found), found) if found else None


def _troubles(failover: Failover) -> tuple[Trouble, ...]:
    """Return the sources that are not played. The one that is may have broken off shortly before."""
    return tuple(
        Trouble(source=source_name(index), kind=failure.value, reason=reason)
        for index, failure, reason in failover.troubles()
        if index != failover.playing
    )


def _delivery(now_s: float, publication: Publication | None) -> Delivery:
    if publication is None:
        return Delivery()
    failure, share = publication.store_failure, publication.upload_share
    if failure:
        return Delivery(store_error=failure[0], failing_s=max(0.0, now_s - failure[1]), upload_share=share)
    # Before the first write nothing is known of the store.
    return Delivery(store_error=None if share is None else "", upload_share=share)


def _free_bytes(directory: Path) -> int | None:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None
