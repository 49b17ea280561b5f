"""Finished segments become what viewers fetch: first the segments, then the playlists that name them.

All renditions go in step: they have the same numbers and discontinuities at all times, as the standard requires of
variants. So a segment that cannot be stored in one rendition is left out of all.
"""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chalicelib.ports.streams.media import MediaStore
from worker.publishing.channel import PLAYLIST, Channel
from worker.publishing.cleaner import Cleaner
from worker.publishing.fenced_object import FencedObject, StaleEtag
from worker.publishing.multivariant_playlist import MultivariantPlaylist
from worker.publishing.playlists.media_playlist import START_SEGMENTS, Entry, Playlist
from worker.publishing.segment_queue import FinishedSegment
from worker.publishing.segment_uploader import SegmentUploader
from worker.publishing.takeover import continue_playlists, read_stored

log = logging.getLogger(__name__)


class Publisher:
    """The published side of one channel. Used by one thread."""

    def __init__(
        self,
        media: MediaStore,
        channel: Channel,
        uploads: SegmentUploader,
        cleaner: Cleaner,
        multivariant: MultivariantPlaylist,
        window_s: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.window_s = window_s
        # The stored playlists are behind these, since a write failed.
        self.has_unwritten = False
        self._media = media
        self._channel = channel
        self._uploads = uploads
        self._cleaner = cleaner
        self._objects = {name: self._object(name) for name in channel.rendition_names}
        self._multivariant = multivariant
        self._now = now
        # The longest segment of this owner's runs; more than the setting where a source is copied.
        self._target_s = channel.segment_seconds
        self._playlists: dict[str, Playlist] = {}
        # Entries of these playlists that no stored one has yet.
        self._pending: list[tuple[Mapping[str, Entry], float]] = []
        # An older owner has written since the playlists were read: they have to be read again before a write.
        self._is_stale = False

    def named_keys(self) -> set[str]:
        """Return the keys of all segments that the playlists name."""
        return {
            self._channel.key(name, entry.uri)
            for name, playlist in self._playlists.items()
            for entry in playlist.entries
        }

    @property
    def is_playable(self) -> bool:
        """Return whether a player that starts now finds enough segments (RFC 8216, section 6.3.3).

        With fewer it would begin at the very end, and stall at the first segment that is a little late.
        """
        fewest = min((len(playlist.entries) for playlist in self._playlists.values()), default=0)
        return fewest >= START_SEGMENTS and self._multivariant.is_stored

    @property
    def clock_s(self) -> float:
        """Return the stream's media clock at the end of the newest segment."""
        return max((playlist.clock_s for playlist in self._playlists.values()), default=0.0)

    def take_over(self) -> None:
        """Read what the earlier owners have published and fence them off.

        Raise `ClaimLost`, and `ClaimNotRenewed` or `StoreUnavailable`: try again.
        """
        self._multivariant.read_stored()
        stored = self._fence()
        dropped = [read_stored(self._object(name)) for name in sorted(self._multivariant.dropped_names)]
        before = continue_playlists(stored, dropped, self._channel.segment_seconds, self._exists)
        cut = self._now() - timedelta(seconds=self.window_s)
        self._playlists = {name: playlist.without_older(cut).with_interruption() for name, playlist in before.items()}
        # The same in all renditions, as long as a longer segment is in any window.
        self._set_target(max(self._target_s, *(playlist.target_s_min for playlist in self._playlists.values())))
        self._forget(before)

    def publish(self, segment: FinishedSegment) -> str | None:
        """Store a segment, then name it. Return why it was left out, if it was.

        Raise `ClaimLost`, and `ClaimNotRenewed` or `StoreUnavailable` if it is stored but not named: `flush` does that.
        """
        if segment.is_first_of_run or segment.has_gap:
            self._interrupt()
        rejection = self._uploads.store(segment)
        if rejection:
            self._interrupt()
            # An answer may have been lost, so the objects may exist.
            self._cleaner.add(self._channel.key(name, segment.name) for name in segment.files)
            return rejection
        entry = Entry(uri=segment.name, duration_s=segment.duration_s, at=segment.at, listed_at=self._now())
        self._keep_target(max(segment.target_s, entry.rounded_s))
        self._append({name: _with_bitrate(entry, segment, name) for name in segment.files}, segment.ends_at_s)
        self._multivariant.prober.probe(segment)
        self._store_playlists()
        return None

    def flush(self) -> None:
        """Write what is not written yet, without what has left the window meanwhile. Raise as `publish`."""
        self._trim()
        self._store_playlists()

    def _store_playlists(self) -> None:
        """Write the media playlists, then the one that names them."""
        self._reread_if_stale()
        self._multivariant.raise_bandwidths(self._playlists)
        try:
            self._write(ended=False)
        except StaleEtag as error:
            # An older owner made the playlist after the read: only the first write can meet that.
            log.warning("taking over again", extra={"stream_id": self._channel.stream_id, "error": str(error)})
            self._is_stale = True
            self._reread_if_stale()
            self._write(ended=False)
        self._multivariant.refresh(self._playlists)
        self.has_unwritten = False
        self._pending.clear()
        self._cleaner.start_lag()
        self._multivariant.delete_dropped()

    def refresh(self) -> None:
        """Write the new results of the probes. Raise as `publish`."""
        self._multivariant.refresh(self._playlists)
        self._multivariant.delete_dropped()

    def end(self) -> None:
        """Write the playlists' end: the operator stopped the stream. Raise as `publish`."""
        self._reread_if_stale()
        self._trim()
        if any(playlist.next_sequence for playlist in self._playlists.values()):
            self._write(ended=True)

    def _reread_if_stale(self) -> None:
        """Continue what an older owner has written since. Raise as `publish`."""
        if not self._is_stale:
            return
        self.take_over()
        pending, self._pending = self._pending, []
        for entries, clock_s in pending:
            self._append(entries, clock_s)
        self._is_stale = False

    def _object(self, rendition: str) -> FencedObject:
        return FencedObject(self._media, self._channel.key(rendition, PLAYLIST), self._channel.epoch)

    def _fence(self) -> dict[str, Playlist | None]:
        """Return the stored playlists, written back under this epoch: every older owner's ETag is wrong then."""
        while True:
            self._uploads.check()
            stored = {name: read_stored(item) for name, item in self._objects.items()}
            try:
                for name, playlist in stored.items():
                    if playlist is not None:
                        self._objects[name].write(playlist.render(self._channel.epoch))
                return stored
            except StaleEtag as error:
                log.info(
                    "an older owner is still writing", extra={"stream_id": self._channel.stream_id, "error": str(error)}
                )

    def _write(self, *, ended: bool) -> None:
        def write(name: str) -> None:
            self._uploads.check()
            self._objects[name].write(self._playlists[name].render(self._channel.epoch, ended=ended))

        self._uploads.run_for_all(write, self._objects)

    def _append(self, entries: Mapping[str, Entry], clock_s: float) -> None:
        self._playlists = {name: p.append(entries[name], clock_s) for name, p in self._playlists.items()}
        self._pending.append(({name: playlist.entries[-1] for name, playlist in self._playlists.items()}, clock_s))
        self.has_unwritten = True
        self._trim()

    def _trim(self) -> None:
        before, now = self._playlists, self._now()
        self._playlists = {name: playlist.trim(self.window_s, now) for name, playlist in before.items()}
        self._forget(before)

    def _forget(self, before: dict[str, Playlist]) -> None:
        for name, playlist in before.items():
            gone = playlist.entries[: self._playlists[name].first_sequence - playlist.first_sequence]
            self._cleaner.add(self._channel.key(name, entry.uri) for entry in gone)

    def _interrupt(self) -> None:
        self._playlists = {name: playlist.with_interruption() for name, playlist in self._playlists.items()}

    def _keep_target(self, target_s: int) -> None:
        """Raise the target to this segment's length, at a discontinuity. It never falls again."""
        self._target_s = max(self._target_s, target_s)
        if any(playlist.target_s < target_s for playlist in self._playlists.values()):
            self._interrupt()
            self._set_target(target_s)

    def _set_target(self, target_s: int) -> None:
        self._playlists = {name: replace(playlist, target_s=target_s) for name, playlist in self._playlists.items()}

    def _exists(self, rendition: str, uri: str) -> bool:
        key = self._channel.key(rendition, uri)
        return key in self._media.list(key, limit=1)


def _with_bitrate(entry: Entry, segment: FinishedSegment, rendition: str) -> Entry:
    size = segment.files[rendition].stat().st_size
    return replace(entry, bitrate_kbps=math.ceil(8 * size / segment.duration_s / 1000))
