"""A follower of a stream's playlists in the store, which compares every reading with all earlier ones."""

from dataclasses import dataclass, field

from chalicelib.ports.media import MediaStore
from tests.fixtures.continuity import Continuity


@dataclass
class Follower:
    """A reader of what viewers would get, without a gateway."""

    media: MediaStore
    stream_id: str
    rules: Continuity = field(default_factory=Continuity)

    @property
    def seen(self) -> dict[str, dict[int, tuple[str, int]]]:
        """Return (uri, discontinuity) by number, of each rendition."""
        return self.rules.seen

    @property
    def problems(self) -> list[str]:
        """Return the violations."""
        return self.rules.problems

    @property
    def ended(self) -> bool:
        """Return whether the newest playlist has an end."""
        return self.rules.ended

    def renditions(self) -> list[str]:
        """Return the renditions of the multivariant playlist."""
        whole = self.media.get(f"streams/{self.stream_id}/index.m3u8")
        return self.rules.ladder(whole.body) if whole else []

    def poll(self) -> int:
        """Read everything once; answers with the newest number, -1 while there is none."""
        return max((self._read(rendition) for rendition in self.renditions()), default=-1)

    def runs(self, rendition: str) -> list[str]:
        """The runs that the numbers seen belong to, in order."""
        return self.rules.runs(rendition)

    def _read(self, rendition: str) -> int:
        stored = self.media.get(f"streams/{self.stream_id}/{rendition}/index.m3u8")
        if stored is None:
            self.rules.problem(f"{rendition} has no playlist")
            return -1
        for named in self.rules.read(rendition, stored.body):
            key = f"streams/{self.stream_id}/{rendition}/{named.uri}"
            # A listing of one key, so that the body need not be fetched.
            if key not in self.media.list(key, limit=1):
                self.rules.problem(f"{rendition} #{named.number}: names {named.uri}, which is not there")
        return self.rules.newest(rendition)
