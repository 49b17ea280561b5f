"""Streams with their real state, and the effects of edits."""

from dataclasses import dataclass

from chalicelib.domain.streams.ladders import Rendition
from chalicelib.domain.streams.runtime import Outage, PublishedRendition, Runtime, RuntimeState
from chalicelib.domain.streams.stream import Stream
from chalicelib.domain.streams.stream_edits import Applies

# Counting viewers stops here.
VIEWERS_COUNTED_MAX = 1_000


@dataclass(frozen=True, kw_only=True)
class Quality:
    """A rendition that can be watched. Sizes are None if the source is copied and no worker has seen it yet."""

    name: str
    width: int | None
    height: int | None
    bitrate_bps: int | None


@dataclass(frozen=True, kw_only=True)
class StreamView:
    """A stream and its real state. `manifest_age_ms` is None if nothing was ever published."""

    stream: Stream
    runtime: Runtime
    state: RuntimeState
    outages: tuple[Outage, ...]
    manifest_age_ms: int | None

    @property
    def renditions(self) -> tuple[Quality, ...]:
        """The renditions as published under the current settings, else as in the ladder."""
        current = self.runtime.generation == self.stream.generation
        found = {rendition.name: rendition for rendition in self.runtime.published if current}
        return tuple(_quality(rendition, found.get(rendition.name)) for rendition in self.stream.renditions)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """The effect of a change, and the active sessions that a restart affects, at most `VIEWERS_COUNTED_MAX`.

    `view` is the stream as it is now.
    """

    applies: Applies
    viewers: int
    view: StreamView


def _quality(planned: Rendition, found: PublishedRendition | None) -> Quality:
    size = found or planned
    bitrate_bps = found.bandwidth_bps if found else planned.bitrate_bps
    return Quality(name=planned.name, width=size.width, height=size.height, bitrate_bps=bitrate_bps)
