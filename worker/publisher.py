"""From finished segments to what viewers fetch: segments first, then the playlists that name them.

All renditions go in step: they have the same numbers and the same discontinuities at all times, as the standard wants
of variants, so a segment that cannot be stored in one rendition is left out of all.
"""

import logging
from datetime import UTC, datetime, timedelta

from chalicelib.domain.ladders import Rendition
from chalicelib.ports import MediaStore, StoreUnavailable
from worker.channel import PLAYLIST, Channel
from worker.cleanup import Cleaner
from worker.fenced import FencedObject, Overtaken
from worker.inbox import Finished
from worker.playlist import Entry, Playlist, Variant, render_multivariant
from worker.takeover import continued, read_stored
from worker.uploads import Uploads

log = logging.getLogger(__name__)

# Players start this many target durations behind the end of a live playlist.
START_SEGMENTS = 3


class Publisher:
    """The published side of one channel. Used by one thread."""

    def __init__(
        self, media: MediaStore, channel: Channel, uploads: Uploads, cleaner: Cleaner, window_s: float
    ) -> None:
        self.window_s = window_s
        # The stored playlists lag behind ours, since a write failed.
        self.unwritten = False
        self._media = media
        self._channel = channel
        self._uploads = uploads
        self._cleaner = cleaner
        self._objects = {
            name: FencedObject(media, channel.key(name, PLAYLIST), channel.epoch) for name in channel.rendition_names
        }
        self._root = FencedObject(media, channel.root_key, channel.epoch)
        self._root_written = False
        self._dropped = [
            FencedObject(media, channel.key(name, PLAYLIST), channel.epoch) for name in channel.dropped_names
        ]
        self._playlists: dict[str, Playlist] = {}
        # Named by our playlists, but by no stored one yet.
        self._pending: list[tuple[Entry, float]] = []

    def named(self) -> set[str]:
        """The keys of all segments that the playlists name."""
        return {
            self._channel.key(name, entry.uri)
            for name, playlist in self._playlists.items()
            for entry in playlist.entries
        }

    @property
    def playable(self) -> bool:
        """Whether a player that starts now finds as much as it starts behind the end (RFC 8216, section 6.3.3).

        With less it would begin at the very end, and stall at the first segment that is a little late.
        """
        fewest = min((len(playlist.entries) for playlist in self._playlists.values()), default=0)
        return fewest >= START_SEGMENTS

    @property
    def clock_s(self) -> float:
        """Where the stream's media clock stands at the end of what is named."""
        return max((playlist.clock_s for playlist in self._playlists.values()), default=0.0)

    def take_over(self) -> None:
        """Read what the owners before have published and shut them out.

        Raises `Lost`, and `Unpublishable` or `StoreUnavailable`: try again.
        """
        stored = self._fence()
        before = continued(stored, self._channel.segment_seconds, self._exists)
        cut = datetime.now(UTC) - timedelta(seconds=self.window_s)
        self._playlists = {
            name: playlist.since(cut).with_target(self._channel.segment_seconds).interrupted()
            for name, playlist in before.items()
        }
        self._forget(before)

    def publish(self, segment: Finished) -> str | None:
        """Store a segment, then name it. Answers why it was left out, if it was.

        Raises `Lost`, and `Unpublishable` or `StoreUnavailable` when it is stored but not named: `flush` does that.
        """
        if segment.first_of_run or segment.gap:
            self._interrupt()
        refusal = self._uploads.store(segment)
        if refusal:
            self._interrupt()
            # An answer may have been lost, so the objects may be there.
            self._cleaner.add(self._channel.key(name, segment.name) for name in segment.files)
            return refusal
        self._append(Entry(uri=segment.name, duration_s=segment.duration_s, at=segment.at), segment.ends_at_s)
        self.flush()
        return None

    def flush(self) -> None:
        """Write what is not written yet: the media playlists, then the one that names them. Raises as `publish`."""
        try:
            self._write(ended=False)
        except Overtaken as error:
            # An older owner made the playlist after we had looked for one: only our first write can meet that.
            log.warning("taking over again", extra={"stream_id": self._channel.stream_id, "error": str(error)})
            pending, self._pending = self._pending, []
            self.take_over()
            for entry, clock_s in pending:
                self._append(entry, clock_s)
            self._write(ended=False)
        if not self._root_written:
            self._write_root()
        self.unwritten = False
        self._pending.clear()
        self._cleaner.published()
        self._drop()

    def end(self) -> None:
        """Say that nothing follows: the operator stopped the stream. Raises as `publish`."""
        if any(playlist.next_sequence for playlist in self._playlists.values()):
            self._write(ended=True)

    def _fence(self) -> dict[str, Playlist | None]:
        """Every stored playlist, written back under our epoch: from then on every older owner's ETag is wrong."""
        while True:
            self._uploads.check()
            stored = {name: read_stored(item) for name, item in self._objects.items()}
            try:
                for name, playlist in stored.items():
                    if playlist is not None:
                        self._objects[name].write(playlist.render(self._channel.epoch))
                return stored
            except Overtaken as error:
                log.info(
                    "an older owner still writes", extra={"stream_id": self._channel.stream_id, "error": str(error)}
                )

    def _write(self, *, ended: bool) -> None:
        def write(name: str) -> None:
            self._uploads.check()
            self._objects[name].write(self._playlists[name].render(self._channel.epoch, ended=ended))

        self._uploads.together(write, self._objects)

    def _write_root(self) -> None:
        body = render_multivariant([_variant(rendition) for rendition in self._channel.renditions], self._channel.epoch)
        while not self._root_written:
            self._uploads.check()
            self._root.read()
            try:
                self._root.write(body)
                self._root_written = True
            except Overtaken:
                continue

    def _drop(self) -> None:
        """Delete the playlists of renditions that the ladder has no more: players load the ladder again at a 404.

        Left as it is, such a playlist would seem to be live and stand still; with an end, the viewing would end.
        """
        try:
            while self._dropped:
                self._uploads.check()
                self._dropped[-1].remove()
                self._dropped.pop()
        except StoreUnavailable as error:
            # No reason to call this segment unpublished: the next flush tries again.
            log.warning("dropping is put off", extra={"stream_id": self._channel.stream_id, "error": str(error)})

    def _append(self, entry: Entry, clock_s: float) -> None:
        before = self._playlists
        self._playlists = {name: p.append(entry, clock_s).trimmed(self.window_s) for name, p in before.items()}
        self._pending.append((entry, clock_s))
        self.unwritten = True
        self._forget(before)

    def _forget(self, before: dict[str, Playlist]) -> None:
        for name, playlist in before.items():
            gone = playlist.entries[: self._playlists[name].first_sequence - playlist.first_sequence]
            self._cleaner.add(self._channel.key(name, entry.uri) for entry in gone)

    def _interrupt(self) -> None:
        self._playlists = {name: playlist.interrupted() for name, playlist in self._playlists.items()}

    def _exists(self, rendition: str, uri: str) -> bool:
        key = self._channel.key(rendition, uri)
        return key in self._media.list(key, limit=1)


def _variant(rendition: Rendition) -> Variant:
    return Variant(
        f"{rendition.name}/{PLAYLIST}", rendition.bitrate_bps or 0, rendition.width or 0, rendition.height or 0
    )
