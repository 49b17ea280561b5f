"""The names of what one owner publishes of a stream, from a claim or a change of settings on."""

from dataclasses import dataclass

from chalicelib.domain.streams.ladders import Rendition
from chalicelib.domain.streams.media_keys import media_key

PLAYLIST = "index.m3u8"


@dataclass(frozen=True, kw_only=True)
class Channel:
    """The names of a stream's objects. `epoch` and `first_run` begin the segments' names: no two owners share one."""

    stream_id: str
    epoch: int
    first_run: int
    renditions: tuple[Rendition, ...]
    segment_seconds: int

    @property
    def rendition_names(self) -> tuple[str, ...]:
        """Return the names, best rendition first."""
        return tuple(rendition.name for rendition in self.renditions)

    @property
    def multivariant_key(self) -> str:
        """Return the key of the multivariant playlist."""
        return media_key(self.stream_id, PLAYLIST)

    @property
    def prefix(self) -> str:
        """Return the prefix of all its keys."""
        return media_key(self.stream_id, "")

    def key(self, rendition: str, file: str) -> str:
        """Return the key of a rendition's file."""
        return media_key(self.stream_id, f"{rendition}/{file}")
