"""Objects that only the newest owner of a stream can write: its playlists.

Every write asks for the ETag of this owner's own last write, and carries its epoch. So an owner that lost its claim is
refused by the store itself, however late it wakes, and finds out from the epoch in what it reads back.
"""

from chalicelib.ports import EtagMismatch, MediaStore
from worker.publishing.playlists.media_playlist import epoch_of

CONTENT_TYPE = "application/vnd.apple.mpegurl"


class ClaimLost(Exception):
    """A newer owner has written the object: the claim is lost, publish nothing more."""


class StaleEtag(Exception):
    """An older owner has written it after we read it: read again, and go on from there."""


class FencedObject:
    """One object and what this owner knows of it. Not to be used by two threads at once."""

    def __init__(self, media: MediaStore, key: str, epoch: int) -> None:
        self._media = media
        self._key = key
        self._epoch = epoch
        self._etag: str | None = None

    def read(self) -> bytes | None:
        """The object as it is now, to be continued by the next write; None if there is none. Raises `ClaimLost`."""
        stored = self._media.get(self._key)
        if stored is None:
            self._etag = None
            return None
        if epoch_of(stored.body) > self._epoch:
            raise ClaimLost(f"{self._key} is written by epoch {epoch_of(stored.body)}, ours is {self._epoch}")
        self._etag = stored.etag
        return stored.body

    def write(self, body: bytes) -> None:
        """Replace what was last read or written. Raises `ClaimLost`, `StaleEtag`, or `StoreUnavailable` (try again)."""
        try:
            self._etag = self._put(body)
        except EtagMismatch:
            self._resolve_conflict(body)

    def remove(self) -> None:
        """Delete it, if it is there, unless a newer owner writes it. Raises `ClaimLost`, or `StoreUnavailable`."""
        if self.read() is not None:
            self._media.delete([self._key])
            self._etag = None

    def _resolve_conflict(self, body: bytes) -> None:
        """A refused write: either our own earlier one arrived though its answer was lost, or somebody else wrote."""
        current = self.read()
        if current == body:
            return
        if current is not None and epoch_of(current) < self._epoch:
            raise StaleEtag(f"{self._key} was written by epoch {epoch_of(current)} meanwhile")
        try:
            self._etag = self._put(body)
        except EtagMismatch:
            raise StaleEtag(f"{self._key} changes under our hands") from None

    def _put(self, body: bytes) -> str:
        return self._media.put(self._key, body, CONTENT_TYPE, if_match=self._etag, if_absent=self._etag is None)
