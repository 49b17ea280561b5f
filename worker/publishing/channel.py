"""What one owner publishes of one stream, from a claim or a change of settings on."""

from dataclasses import dataclass

from chalicelib.domain.ladders import Rendition
from chalicelib.domain.streams import media_key

PLAYLIST = "index.m3u8"


@dataclass(frozen=True, kw_only=True)
class Channel:
    """The names of things. `epoch` and `first_run` begin the segments' names, so no two owners ever share one."""

    stream_id: str
    epoch: int
    first_run: int
    renditions: tuple[Rendition, ...]
    segment_seconds: int

    @property
    def rendition_names(self) -> tuple[str, ...]:
        """Best first."""
        return tuple(rendition.name for rendition in self.renditions)

    @property
    def multivariant_key(self) -> str:
        """The key of the multivariant playlist."""
        return media_key(self.stream_id, PLAYLIST)

    @property
    def prefix(self) -> str:
        """What the keys of all its objects begin with."""
        return media_key(self.stream_id, "")

    def key(self, rendition: str, file: str) -> str:
        """The key of a file of a rendition."""
        return media_key(self.stream_id, f"{rendition}/{file}")


def run_name(epoch: int, run: int) -> str:
    """How the segments of a run begin."""
    return f"{epoch}-{run}"
