"""Streams for operators and viewers."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.domain.errors import Busy, Invalid, StreamNotFound
from chalicelib.domain.ids import new_ingest_key
from chalicelib.domain.streams.ingest import IngestPortTaken
from chalicelib.domain.streams.ladders import Rendition
from chalicelib.domain.streams.outages import outages_of
from chalicelib.domain.streams.runtime import Outage, PublishedRendition, Runtime, RuntimeState, effective_state
from chalicelib.domain.streams.stream import DesiredState, SessionBinding, Stream, stream_faults
from chalicelib.domain.streams.stream_edits import Applies, applies, ends_slate, needs_new_encoder
from chalicelib.ports import Clock, ListPage, PlaybackSessions, RowRefused, Runtimes, Streams
from chalicelib.services.streams.controller import Controller

TRIES_MAX = 5
CHANGED_BY_OTHERS = "Concurrent changes of the stream won at every try. Try again."
# Counting viewers stops here.
VIEWERS_COUNTED_MAX = 1_000
VIEWERS_PER_PAGE = 200


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


class StreamsService:
    """Creates, edits, lists and switches streams."""

    def __init__(
        self,
        *,
        streams: Streams,
        runtimes: Runtimes,
        sessions: PlaybackSessions,
        controller: Controller,
        clock: Clock,
        sees_clients: bool,
        check_source: Callable[[str], object],
    ) -> None:
        self._streams = streams
        self._runtimes = runtimes
        self._sessions = sessions
        self._controller = controller
        self._clock = clock
        self._sees_clients = sees_clients
        self._check_source = check_source

    def create(self, stream: Stream) -> Stream:
        """Store a new, stopped stream.

        Raise `Invalid` (`SourceUrlRefused` for the URL of a source), `StreamExists` (also for an archived one),
        `IngestPortTaken` or `Busy`.
        """
        created = replace(
            stream,
            desired_state=DesiredState.STOPPED,
            ingest_key=new_ingest_key(),
            created_at_ms=self._clock.now_ms(),
        )
        _check(created)
        self._check_binding(created)
        self._check_sources(created)
        for _ in range(TRIES_MAX):
            with suppress(RowRefused):
                self._streams.add(created)
                return created
        raise Busy("Concurrent changes of streams won at every try. Try again.")

    def ensure(self, stream: Stream) -> Stream:
        """Return the stream with this id, created if missing. An existing one stays as it is."""
        return self._streams.get(stream.stream_id) or self.create(stream)

    def get(self, stream_id: str) -> Stream:
        """Return the stream. Raise `StreamNotFound`, also for an archived one."""
        stream = self._streams.get(stream_id)
        if stream is None or stream.archived:
            raise StreamNotFound(f"There is no stream {stream_id}.")
        return stream

    def view(self, stream_id: str) -> StreamView:
        """Return the stream with its runtime. Raise `StreamNotFound`."""
        return self._view(self.get(stream_id), self._runtime(stream_id))

    def listing(self, *, limit: int, cursor: str | None) -> ListPage[StreamView]:
        """Return a page of streams that are not archived."""
        page = self._streams.list(limit=limit, cursor=cursor)
        items = [self._view(stream, self._runtime(stream.stream_id)) for stream in page.items if not stream.archived]
        return ListPage(items=items, next_cursor=page.next_cursor)

    def edit(self, stream_id: str, changes: dict[str, Any], *, dry_run: bool = False) -> Edit:
        """Set the given fields. The generation rises if they need a new encoder.

        A dry run changes nothing and returns what the change would do. Raise `Invalid`, `StreamNotFound`,
        `IngestPortTaken` or `Busy`.
        """
        for _ in range(TRIES_MAX):
            seen = self.get(stream_id)
            new, runtime = self._changed(seen, changes), self._runtime(stream_id)
            if ends_slate(seen, new, runtime):
                new = replace(new, generation=seen.generation + 1)
            # Read everything for the response before the write, so that a failing read cannot fail a written edit.
            effect = applies(seen, new)
            viewers = self._viewers(stream_id) if effect is Applies.RESTART else 0
            edit = Edit(applies=effect, viewers=viewers, view=self._view(seen if dry_run else new, runtime))
            if dry_run:
                self._check_port(new)
            if dry_run or self._write(seen, new):
                return edit
        raise Busy(CHANGED_BY_OTHERS)

    def set_state(self, stream_id: str, desired: DesiredState) -> Stream:
        """Set the desired state. When this returns, the gateway rejects a stream that is no longer live.

        Its sessions end, most before this returns, and all with a refund from now on.
        """
        stream = self._replace(stream_id, {"desired_state": desired})
        self._controller.changed(stream_id)
        return stream

    def restart(self, stream_id: str) -> Stream:
        """Restart the encoder. Viewers stay."""
        stream = self._replace(stream_id, {"generation": self.get(stream_id).generation + 1})
        self._controller.changed(stream_id)
        return stream

    def rotate_ingest_key(self, stream_id: str) -> Stream:
        """Replace the ingest key. A sender with the old key is disconnected within seconds. Raise `StreamNotFound`."""
        stream = self._replace(stream_id, {"ingest_key": new_ingest_key()})
        self._controller.changed(stream_id)
        return stream

    def archive(self, stream_id: str) -> Stream:
        """Stop and hide the stream. Its ledger lines and sessions stay. Raise `StreamNotFound`."""
        stream = self._replace(stream_id, {"desired_state": DesiredState.STOPPED, "archived": True})
        self._controller.changed(stream_id)
        return stream

    def _replace(self, stream_id: str, changes: dict[str, Any]) -> Stream:
        for _ in range(TRIES_MAX):
            seen = self.get(stream_id)
            new = self._changed(seen, changes)
            if self._write(seen, new):
                return new
        raise Busy(CHANGED_BY_OTHERS)

    def _write(self, seen: Stream, new: Stream) -> bool:
        """Write a change, if any. Return False after a concurrent change."""
        try:
            if new != seen:
                self._streams.replace(seen, new)
        except RowRefused:
            return False
        return True

    def _changed(self, seen: Stream, changes: dict[str, Any]) -> Stream:
        """Return the stream with the changes and their consequences, or `seen` itself if nothing changes."""
        new = replace(seen, **changes)
        # A stream older than a rule can still be stopped, and edited where the rule does not apply.
        _check(new, allowed=stream_faults(seen))
        if new == seen:
            return seen
        if new.sources != seen.sources:
            self._check_sources(new)
        if new.session_binding is not seen.session_binding:
            self._check_binding(new)
        if new.desired_state is not seen.desired_state:
            new = replace(new, desired_since_ms=self._clock.now_ms())
        if needs_new_encoder(seen, new):
            new = replace(new, generation=seen.generation + 1)
        return replace(new, version=seen.version + 1)

    def _check_binding(self, stream: Stream) -> None:
        """Reject a binding that this stage's gateway cannot check."""
        if stream.session_binding is not SessionBinding.OFF and not self._sees_clients:
            detail = "the gateway of this stage does not know the clients of media requests; allowed: `off`"
            errors = [{"field": "session_binding", "detail": detail}]
            raise Invalid(f"session_binding: {detail}", errors=errors)

    def _check_sources(self, stream: Stream) -> None:
        """Reject sources that a worker would reject. The worker checks again at every connection."""
        for source in stream.sources:
            if source.url is not None:
                self._check_source(source.url)

    def _check_port(self, stream: Stream) -> None:
        """Reject a port that the store would reject now."""
        port = stream.srt_port
        owner = None if port is None else self._streams.port_owner(port)
        if port is not None and owner is not None and owner != stream.stream_id:
            raise IngestPortTaken(port, owner)

    def _viewers(self, stream_id: str) -> int:
        count, cursor = 0, None
        while count < VIEWERS_COUNTED_MAX:
            page = self._sessions.active(stream_id, limit=VIEWERS_PER_PAGE, cursor=cursor)
            count, cursor = count + len(page.items), page.next_cursor
            if cursor is None:
                break
        return min(count, VIEWERS_COUNTED_MAX)

    def _runtime(self, stream_id: str) -> Runtime:
        return self._runtimes.get(stream_id) or Runtime(stream_id=stream_id)

    def _view(self, stream: Stream, runtime: Runtime) -> StreamView:
        now_ms, manifest_ms = self._clock.now_ms(), runtime.last_manifest_at_ms
        return StreamView(
            stream=stream,
            runtime=runtime,
            state=effective_state(runtime, now_ms),
            outages=outages_of(runtime, now_ms),
            # Never negative, although a worker's clock may be ahead.
            manifest_age_ms=None if manifest_ms is None else max(0, now_ms - manifest_ms),
        )


def _quality(planned: Rendition, found: PublishedRendition | None) -> Quality:
    size = found or planned
    bitrate_bps = found.bandwidth_bps if found else planned.bitrate_bps
    return Quality(name=planned.name, width=size.width, height=size.height, bitrate_bps=bitrate_bps)


def _check(stream: Stream, allowed: Sequence[str] = ()) -> None:
    if faults := [fault for fault in stream_faults(stream) if fault not in allowed]:
        raise Invalid("These settings do not go together: " + "; ".join(faults))
