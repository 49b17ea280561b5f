"""Streams as operators set them up and as viewers see them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from chalicelib.domain.errors import Busy, IngestPortTaken, Invalid, StreamNotFound
from chalicelib.domain.ids import new_ingest_key
from chalicelib.domain.ladders import Rendition
from chalicelib.domain.outages import outages_of
from chalicelib.domain.streams import (
    SLATE,
    DesiredState,
    Outage,
    PublishedRendition,
    Runtime,
    RuntimeState,
    Stream,
    effective_state,
    stream_faults,
)
from chalicelib.ports import Clock, ListPage, PlaybackSessions, RowRefused, Runtimes, Streams
from chalicelib.services.controller import Controller

TRIES_MAX = 5
# A change of these needs a new ffmpeg; all others take effect without, but for the end of a slate that is being played.
RESTART_FIELDS = frozenset({"ingest", "backups", "ingest_key", "abr_profile", "custom_renditions", "segment_seconds"})
# More viewers than these are not counted.
VIEWERS_COUNTED_MAX = 1_000
VIEWERS_PER_PAGE = 200


class Applies(StrEnum):
    """What a change of settings does: nothing, something without a restart of ffmpeg, or something by one."""

    NONE = "none"
    HOT = "hot"
    RESTART = "restart"


@dataclass(frozen=True, kw_only=True)
class Edit:
    """How a change applies, and how many active sessions a restart meets: `VIEWERS_COUNTED_MAX` is so many or more."""

    applies: Applies
    viewers: int


@dataclass(frozen=True, kw_only=True)
class Quality:
    """A rendition that can be watched. None where the source is copied and no worker has told yet what it is."""

    name: str
    width: int | None
    height: int | None
    bitrate_bps: int | None


@dataclass(frozen=True, kw_only=True)
class StreamView:
    """A stream and what really happens with it. `manifest_age_ms` is None if nothing was ever published."""

    stream: Stream
    runtime: Runtime
    state: RuntimeState
    outages: tuple[Outage, ...]
    manifest_age_ms: int | None

    @property
    def renditions(self) -> tuple[Quality, ...]:
        """As they were found published under the present settings, else as the ladder has them."""
        current = self.runtime.generation == self.stream.generation
        found = {rendition.name: rendition for rendition in self.runtime.published if current}
        return tuple(_quality(rendition, found.get(rendition.name)) for rendition in self.stream.renditions)


class StreamsService:
    """Creating, editing, listing and switching streams."""

    def __init__(
        self,
        *,
        streams: Streams,
        runtimes: Runtimes,
        sessions: PlaybackSessions,
        controller: Controller,
        clock: Clock,
        check_source: Callable[[str], object],
    ) -> None:
        self._streams = streams
        self._runtimes = runtimes
        self._sessions = sessions
        self._controller = controller
        self._clock = clock
        self._check_source = check_source

    def create(self, stream: Stream) -> Stream:
        """Store a new stream, stopped.

        Raises `Invalid` (`SourceUrlRefused` for an address to pull from), `StreamExists`, also for an archived one,
        `IngestPortTaken`, or `Busy`.
        """
        created = replace(
            stream,
            desired_state=DesiredState.STOPPED,
            ingest_key=new_ingest_key(),
            created_at_ms=self._clock.now_ms(),
        )
        _check(created)
        self._check_sources(created)
        for _ in range(TRIES_MAX):
            with suppress(RowRefused):
                self._streams.add(created)
                return created
        raise Busy("Others have changed streams at every try. Try again.")

    def ensure(self, stream: Stream) -> Stream:
        """The stream of this id, made if there is none; an existing one is left as it is."""
        return self._streams.get(stream.stream_id) or self.create(stream)

    def get(self, stream_id: str) -> Stream:
        """The stream; raises `StreamNotFound`, also for an archived one."""
        stream = self._streams.get(stream_id)
        if stream is None or stream.archived:
            raise StreamNotFound(f"There is no stream {stream_id}.")
        return stream

    def view(self, stream_id: str) -> StreamView:
        """The stream and its runtime; raises `StreamNotFound`."""
        return self._view(self.get(stream_id))

    def listing(self, *, limit: int, cursor: str | None) -> ListPage[StreamView]:
        """All streams that are not archived."""
        page = self._streams.list(limit=limit, cursor=cursor)
        items = [self._view(stream) for stream in page.items if not stream.archived]
        return ListPage(items=items, next_cursor=page.next_cursor)

    def edit(self, stream_id: str, changes: dict[str, Any], *, dry_run: bool = False) -> Edit:
        """Set the given fields; the generation rises where they need a new ffmpeg.

        A dry run changes nothing, and answers what the change would do.
        Raises `Invalid`, `StreamNotFound`, `IngestPortTaken`, `Busy`.
        """
        if dry_run:
            seen = self.get(stream_id)
            new = self._changed(seen, changes)
            self._check_port(new)
        else:
            seen, new = self._replace(stream_id, changes)
        if new == seen:
            return Edit(applies=Applies.NONE, viewers=0)
        # What is not to be live has no ffmpeg that could be restarted.
        if new.generation == seen.generation or new.desired_state is not DesiredState.LIVE:
            return Edit(applies=Applies.HOT, viewers=0)
        return Edit(applies=Applies.RESTART, viewers=self._viewers(stream_id))

    def set_state(self, stream_id: str, desired: DesiredState) -> Stream:
        """Ask for another state. When this returns, the gateway refuses a stream that is no longer live.

        Its sessions end, most before this returns and all of them with a refund from this moment on."""
        _, stream = self._replace(stream_id, {"desired_state": desired})
        self._controller.changed(stream_id)
        return stream

    def restart(self, stream_id: str) -> Stream:
        """Ask for a new ffmpeg; viewers stay."""
        _, stream = self._replace(stream_id, {"generation": self.get(stream_id).generation + 1})
        self._controller.changed(stream_id)
        return stream

    def rotate_ingest_key(self, stream_id: str) -> Stream:
        """Give the stream a new key. Who sends with the old one is cut off within seconds. Raises `StreamNotFound`."""
        _, stream = self._replace(stream_id, {"ingest_key": new_ingest_key()})
        self._controller.changed(stream_id)
        return stream

    def archive(self, stream_id: str) -> None:
        """Stop the stream and take it out of sight. Its ledger lines and sessions stay. Raises `StreamNotFound`."""
        self._replace(stream_id, {"desired_state": DesiredState.STOPPED, "archived": True})
        self._controller.changed(stream_id)

    def _replace(self, stream_id: str, changes: dict[str, Any]) -> tuple[Stream, Stream]:
        """The stream as it was and as it is now; the same twice, and nothing written, if that changes nothing."""
        for _ in range(TRIES_MAX):
            seen = self.get(stream_id)
            new = self._changed(seen, changes)
            if new == seen:
                return seen, new
            try:
                self._streams.replace(seen, new)
            except RowRefused:
                continue
            return seen, new
        raise Busy("The stream was changed by others at every try. Try again.")

    def _changed(self, seen: Stream, changes: dict[str, Any]) -> Stream:
        """The stream with the changes and what follows from them; `seen` itself if they change nothing."""
        new = replace(seen, **changes)
        _check(new)
        if new == seen:
            return seen
        if new.sources != seen.sources:
            self._check_sources(new)
        if new.desired_state is not seen.desired_state:
            new = replace(new, desired_since_ms=self._clock.now_ms())
        if _needs_new_ffmpeg(seen, new) or self._ends_slate(seen, new):
            new = replace(new, generation=seen.generation + 1)
        return replace(new, version=seen.version + 1)

    def _check_sources(self, stream: Stream) -> None:
        """Refuse what a worker would refuse; it looks again whenever it connects."""
        for source in stream.sources:
            if source.url is not None:
                self._check_source(source.url)

    def _check_port(self, stream: Stream) -> None:
        """Refuse what the store would refuse now."""
        port = stream.srt_port
        owner = None if port is None else self._streams.port_owner(port)
        if port is not None and owner is not None and owner != stream.stream_id:
            raise IngestPortTaken(port, owner)

    def _ends_slate(self, seen: Stream, new: Stream) -> bool:
        """Whether the slate is what is played now, and is not wanted any more."""
        if new.slate or not seen.slate:
            return False
        runtime = self._runtimes.get(seen.stream_id)
        return runtime is not None and runtime.source == SLATE

    def _viewers(self, stream_id: str) -> int:
        count, cursor = 0, None
        while count < VIEWERS_COUNTED_MAX:
            page = self._sessions.active(stream_id, limit=VIEWERS_PER_PAGE, cursor=cursor)
            count, cursor = count + len(page.items), page.next_cursor
            if cursor is None:
                break
        return min(count, VIEWERS_COUNTED_MAX)

    def _view(self, stream: Stream) -> StreamView:
        runtime = self._runtimes.get(stream.stream_id) or Runtime(stream_id=stream.stream_id)
        now_ms, manifest_ms = self._clock.now_ms(), runtime.last_manifest_at_ms
        return StreamView(
            stream=stream,
            runtime=runtime,
            state=effective_state(runtime, now_ms),
            outages=outages_of(runtime, now_ms),
            # Never negative, though a worker's clock may be ahead of ours.
            manifest_age_ms=None if manifest_ms is None else max(0, now_ms - manifest_ms),
        )


def _needs_new_ffmpeg(seen: Stream, new: Stream) -> bool:
    # A key is nothing to an ffmpeg that does not listen.
    fields = RESTART_FIELDS if new.listening else RESTART_FIELDS - {"ingest_key"}
    return any(getattr(seen, name) != getattr(new, name) for name in fields)


def _quality(planned: Rendition, found: PublishedRendition | None) -> Quality:
    size = found or planned
    bitrate_bps = found.bandwidth_bps if found else planned.bitrate_bps
    return Quality(name=planned.name, width=size.width, height=size.height, bitrate_bps=bitrate_bps)


def _check(stream: Stream) -> None:
    if faults := stream_faults(stream):
        raise Invalid("These settings do not go together: " + "; ".join(faults))
