"""A follower of a stream's playlists in the store, which compares every reading with all earlier ones."""

from chalicelib.ports.streams.media import MediaStore
from tests.fixtures.continuity import Continuity


class Follower(Continuity):
    """A reader of what viewers would get, without a gateway."""

    def __init__(self, media: MediaStore, stream_id: str) -> None:
        super().__init__()
        self._media = media
        self._prefix = f"streams/{stream_id}/"

    def renditions(self) -> list[str]:
        whole = self._media.get(f"{self._prefix}index.m3u8")
        return self.ladder(whole.body) if whole else []

    def poll(self) -> int:
        """Read everything once; answers with the newest number, -1 while there is none."""
        return max((self._read(rendition) for rendition in self.renditions()), default=-1)

    def _read(self, rendition: str) -> int:
        stored = self._media.get(f"{self._prefix}{rendition}/index.m3u8")
        if stored is None:
            self.problem(f"{rendition} has no playlist")
            return -1
        for named in self.read(rendition, stored.body):
            key = f"{self._prefix}{rendition}/{named.uri}"
            # A listing of one key, so that the body need not be fetched.
            if key not in self._media.list(key, limit=1):
                self.problem(f"{rendition} #{named.number}: names {named.uri}, which is not there")
        return self.newest(rendition)
