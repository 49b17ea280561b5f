"""Objects that only the newest owner of a stream can write: its playlists.

Every write requires the ETag of this owner's last write, and carries its epoch. So the store itself rejects an owner
that lost its claim, however late it writes, and the owner learns that from the epoch of the stored object.
"""

from chalicelib.ports.streams.media import EtagMismatch, MediaStore
from worker.publishing.playlists.media_playlist import epoch_of

CONTENT_TYPE = "application/vnd.apple.mpegurl"


class ClaimLost(Exception):
    """A newer owner has written the object: the claim is lost, and nothing more may be published."""


class StaleEtag(Exception):
    """An older owner has written the object since it was read: read it again and continue from there."""


class FencedObject:
    """One object and its ETag. Used by one thread at a time."""

    def __init__(self, media: MediaStore, key: str, epoch: int) -> None:
        self._media = media
        self._key = key
        self._epoch = epoch
        self._etag: str | None = None

    def read(self) -> bytes | None:
        """Return the object, which the next write replaces; None if there is none. Raise `ClaimLost`."""
        stored = self._media.get(self._key)
        if stored is None:
            self._etag = None
            return None
        if epoch_of(stored.body) > self._epoch:
            raise ClaimLost(f"{self._key} is written by epoch {epoch_of(stored.body)}, ours is {self._epoch}")
        self._etag = stored.etag
        return stored.body

    def write(self, body: bytes) -> None:
        """Replace what was last read or written. Raise `ClaimLost`, `StaleEtag`, or `StoreUnavailable` (retry)."""
        try:
            self._etag = self._put(body)
        except EtagMismatch:
            self._resolve_conflict(body)

    def remove(self) -> None:
        """Delete it, if it exists, unless a newer owner writes it. Raise `ClaimLost` or `StoreUnavailable`."""
        if self.read() is not None:
            self._media.delete([self._key])
            self._etag = None

    def _resolve_conflict(self, body: bytes) -> None:
        """Find out who has written: this owner, whose answer was lost, or another one."""
        current = self.read()
        if current == body:
            return
        if current is not None and epoch_of(current) < self._epoch:
            raise StaleEtag(f"{self._key} was written by epoch {epoch_of(current)} in between")
        try:
            self._etag = self._put(body)
        except EtagMismatch:
            raise StaleEtag(f"{self._key} changes during the write") from None

    def _put(self, body: bytes) -> str:
        return self._media.put(self._key, body, CONTENT_TYPE, if_match=self._etag, if_absent=self._etag is None)
