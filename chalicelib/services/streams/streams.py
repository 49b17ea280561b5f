"""Streams for operators and viewers."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any

from chalicelib.domain.errors import Busy, Invalid, StreamNotFound
from chalicelib.domain.ids import new_ingest_key
from chalicelib.domain.operations.audit import Action, Actor, stream_action
from chalicelib.domain.streams.ingest import IngestPortTaken
from chalicelib.domain.streams.outages import outages_of
from chalicelib.domain.streams.runtime import Runtime, effective_state
from chalicelib.domain.streams.stream import DesiredState, SessionBinding, Stream, stream_faults
from chalicelib.domain.streams.stream_edits import Applies, applies, ends_slate, needs_new_encoder
from chalicelib.domain.streams.stream_versions import check_stream_version, next_version
from chalicelib.domain.versions import Expected
from chalicelib.ports.common import Clock, ListPage, RowRefused, all_items
from chalicelib.ports.money.money import PlaybackSessions
from chalicelib.ports.streams.streams import Runtimes, Streams
from chalicelib.services.operations.audit import Audit
from chalicelib.services.streams.controller import Controller
from chalicelib.services.streams.views import VIEWERS_COUNTED_MAX, Edit, StreamView

TRIES_MAX = 5
CHANGED_BY_OTHERS = "Concurrent changes of the stream won at every try. Try again."
VIEWERS_PER_PAGE = 200
Changes = Callable[[Stream], dict[str, Any]]


class StreamsService:
    """Creates, edits, lists and switches streams."""

    def __init__(
        self,
        *,
        streams: Streams,
        runtimes: Runtimes,
        sessions: PlaybackSessions,
        controller: Controller,
        audit: Audit,
        clock: Clock,
        sees_clients: bool,
        check_source: Callable[[str], object],
    ) -> None:
        self._streams = streams
        self._runtimes = runtimes
        self._sessions = sessions
        self._controller = controller
        self._audit = audit
        self._clock = clock
        self._sees_clients = sees_clients
        self._check_source = check_source

    def create(self, stream: Stream, *, by: Actor | None = None) -> Stream:
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
                self._audit.record(by, stream_action("stream.create", None, created))
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
        return self.view_of(self.get(stream_id))

    def view_of(self, stream: Stream) -> StreamView:
        """Return the stream with its runtime."""
        return self.view_with(stream, self._runtime(stream.stream_id))

    def view_with(self, stream: Stream, runtime: Runtime) -> StreamView:
        """Return the stream with this runtime."""
        now_ms, manifest_ms = self._clock.now_ms(), runtime.last_manifest_at_ms
        return StreamView(
            stream=stream,
            runtime=runtime,
            state=effective_state(runtime, now_ms),
            # An outage of a stream that was never delivered would begin now, at each look.
            outages=tuple(each for each in outages_of(runtime, now_ms) if each.since_ms < now_ms),
            # Never negative, although a worker's clock may be ahead.
            manifest_age_ms=None if manifest_ms is None else max(0, now_ms - manifest_ms),
        )

    def listing(self, *, limit: int, cursor: str | None) -> ListPage[StreamView]:
        """Return a page of streams that are not archived."""
        page = self._streams.list(limit=limit, cursor=cursor)
        items = [self.view_of(stream) for stream in page.items if not stream.archived]
        return ListPage(items=items, next_cursor=page.next_cursor)

    def edit(
        self,
        stream_id: str,
        changes: dict[str, Any],
        *,
        dry_run: bool = False,
        by: Actor | None = None,
        expected: Expected = None,
    ) -> Edit:
        """Set the given fields. The generation rises if they need a new encoder.

        A dry run changes nothing and returns what the change would do. Raise `Invalid`, `StreamNotFound`,
        `IngestPortTaken`, `Busy`, or `ChangedMeanwhile` if the stream has none of the expected versions.
        """
        for _ in range(TRIES_MAX):
            seen = self.get(stream_id)
            check_stream_version(seen, expected)
            new, runtime = self._changed(seen, changes), self._runtime(stream_id)
            if ends_slate(seen, new, runtime):
                new = replace(new, generation=seen.generation + 1)
            # Read everything for the response before the write, so that a failing read cannot fail a written edit.
            effect = applies(seen, new)
            viewers = self._viewers(stream_id) if effect is Applies.RESTART else 0
            edit = Edit(applies=effect, viewers=viewers, view=self.view_with(seen if dry_run else new, runtime))
            if dry_run:
                self._check_port(new)
                return edit
            if self._write(seen, new):
                self._audit.record(by, stream_action("stream.edit", seen, new))
                return edit
        raise Busy(CHANGED_BY_OTHERS)

    def set_state(
        self, stream_id: str, desired: DesiredState, *, by: Actor | None = None, expected: Expected = None
    ) -> Stream:
        """Set the desired state. When this returns, the gateway rejects a stream that is no longer live.

        Its sessions end, most before this returns, and all with a refund from now on.
        """
        return self._command("stream.state", stream_id, lambda seen: {"desired_state": desired}, by, expected)

    def restart(self, stream_id: str, *, by: Actor | None = None, expected: Expected = None) -> Stream:
        """Restart the encoder. Viewers stay."""
        return self._command(
            "stream.restart", stream_id, lambda seen: {"generation": seen.generation + 1}, by, expected
        )

    def rotate_ingest_key(self, stream_id: str, *, by: Actor | None = None, expected: Expected = None) -> Stream:
        """Replace the ingest key. A sender with the old key is disconnected within seconds. Raise `StreamNotFound`."""
        return self._command(
            "stream.ingest-key", stream_id, lambda seen: {"ingest_key": new_ingest_key()}, by, expected
        )

    def archive(self, stream_id: str, *, by: Actor | None = None, expected: Expected = None) -> Stream:
        """Stop and hide the stream. Its ledger lines and sessions stay. Raise `StreamNotFound`."""
        changes = {"desired_state": DesiredState.STOPPED, "archived": True}
        return self._command("stream.archive", stream_id, lambda seen: changes, by, expected)

    def _command(self, name: str, stream_id: str, changes: Changes, by: Actor | None, expected: Expected) -> Stream:
        """Change the stream, act on the change, and audit it for `by`, also if acting fails. Return the new stream.

        Raise `ChangedMeanwhile`, before anything is done, if the stream has none of the expected versions.
        """
        before = self.get(stream_id)

        def look() -> Action | None:
            after = self._streams.get(stream_id)
            return None if after is None or after.version == before.version else stream_action(name, before, after)

        with self._audit.also_unfinished(by, look):
            seen, after = self._replace(before, changes, expected)
            self._controller.changed(after)
        self._audit.record(by, stream_action(name, seen, after))
        return after

    def _replace(self, seen: Stream, changes: Changes, expected: Expected) -> tuple[Stream, Stream]:
        """Write the changes. Return the stream before and after."""
        for _ in range(TRIES_MAX):
            check_stream_version(seen, expected)
            new = self._changed(seen, changes(seen))
            if self._write(seen, new):
                return seen, new
            seen = self.get(seen.stream_id)
        raise Busy(CHANGED_BY_OTHERS)

    def _write(self, seen: Stream, new: Stream) -> bool:
        """Write a change, if any. Return False after a concurrent change."""
        try:
            if new != seen:
                self._streams.replace(seen, next_version(seen, new))
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
            raise Invalid.field("session_binding", detail)

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
        active = all_items(self._sessions.active, stream_id, limit=VIEWERS_PER_PAGE)
        return sum(1 for _ in islice(active, VIEWERS_COUNTED_MAX))

    def _runtime(self, stream_id: str) -> Runtime:
        return self._runtimes.get(stream_id) or Runtime(stream_id=stream_id)


def _check(stream: Stream, allowed: Sequence[str] = ()) -> None:
    if faults := [fault for fault in stream_faults(stream) if fault not in allowed]:
        raise Invalid("These settings do not go together: " + "; ".join(faults))
