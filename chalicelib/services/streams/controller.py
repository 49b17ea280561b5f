"""Reconciles desired and real state of streams: hints to workers, marks of lost workers, ends of sessions."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache

from chalicelib.domain.errors import DomainError
from chalicelib.domain.operations.workers import why_waiting
from chalicelib.domain.streams.outages import outage_began_ms
from chalicelib.domain.streams.runtime import Runtime, RuntimeState, Waiting
from chalicelib.domain.streams.stream import END_OF_DESIRED, DesiredState, Stream
from chalicelib.ports.common import Clock, StoreUnavailable, all_items
from chalicelib.ports.money.money import PlaybackSessions
from chalicelib.ports.streams.media import Denylist
from chalicelib.ports.streams.streams import Runtimes, Streams, WorkQueue
from chalicelib.services.money.billing import Billing
from chalicelib.services.operations.workers import WorkersService
from chalicelib.services.streams.ingest_issues import IngestIssuesService

STREAMS_PER_PAGE = 100
SESSIONS_PER_PAGE = 100
# A change of state ends this many sessions before it returns. The denylist blocks the others until the schedule.
SESSIONS_AT_ONCE_MAX = 200
ENFORCE_TRIES_MAX = 5
Why = Callable[[], tuple[Waiting | None, str]]


class Controller:
    """Messages are hints, and the tables hold the facts: running this twice, or late, changes nothing."""

    def __init__(
        self,
        *,
        streams: Streams,
        runtimes: Runtimes,
        sessions: PlaybackSessions,
        queue: WorkQueue,
        billing: Billing,
        workers: WorkersService,
        ingest_issues: IngestIssuesService,
        denylist: Denylist,
        clock: Clock,
    ) -> None:
        self._streams = streams
        self._runtimes = runtimes
        self._sessions = sessions
        self._queue = queue
        self._billing = billing
        self._workers = workers
        self._ingest_issues = ingest_issues
        self._denylist = denylist
        self._clock = clock

    def changed(self, stream: Stream) -> None:
        """Act on an operator's change at once. When this returns, the gateway rejects a stream that is not live."""
        stream = self._enforce(stream)
        self._hint(stream.stream_id)
        self._end_sessions(stream)
        # The change is done. What fails here, the schedule repeats.
        with suppress(StoreUnavailable):
            self._mark_if_unclaimed(stream, self._runtime(stream), self._why_waiting)

    def tick(self) -> int:
        """Check every stream, and return how many differed from their desired state. For the schedule."""
        # The same for all waiting streams, and read only if there is one.
        why = cache(self._why_waiting)
        streams = all_items(self._streams.list, limit=STREAMS_PER_PAGE)
        differing = sum(self._settle(stream, why) for stream in streams)
        self._denylist.sweep(self._clock.now_ms())
        return differing

    def _settle(self, seen: Stream, why: Why) -> bool:
        stream = self._enforce(self._streams.get(seen.stream_id) or seen)
        runtime = self._runtime(stream)
        self._end_sessions(stream)
        claimed = runtime.is_claimed(self._clock.now_ms())
        wanted = stream.desired_state is DesiredState.LIVE
        self._mark_if_unclaimed(stream, runtime, why)
        differs = claimed != wanted or (wanted and runtime.generation != stream.generation)
        if differs:
            self._hint(stream.stream_id)
        return differs

    def _hint(self, stream_id: str) -> None:
        """Send a hint. Workers also poll, so a failing queue must not block streams or sessions."""
        with suppress(StoreUnavailable):
            self._queue.send(stream_id)

    def _enforce(self, stream: Stream) -> Stream:
        """Make the denylist match the table.

        Two changes may run at once, and the later one may act first. So the table is read again after acting, until it
        is unchanged. If a process dies in between, the schedule repairs it.
        """
        for _ in range(ENFORCE_TRIES_MAX):
            reason = END_OF_DESIRED.get(stream.desired_state)
            if reason is None:
                self._denylist.allow_stream(stream.stream_id)
            else:
                self._denylist.deny_stream(stream.stream_id, reason)
            current = self._streams.get(stream.stream_id) or stream
            if current.desired_state is stream.desired_state:
                return current
            stream = current
        return stream

    def _runtime(self, stream: Stream) -> Runtime:
        return self._runtimes.get(stream.stream_id) or Runtime(stream_id=stream.stream_id)

    def _why_waiting(self) -> tuple[Waiting | None, str]:
        return why_waiting(self._workers.present())

    def _mark_if_unclaimed(self, stream: Stream, runtime: Runtime, why: Why) -> None:
        """Update the state of a stream without a worker, if it changes."""
        if runtime.is_claimed(self._clock.now_ms()):
            return
        if stream.desired_state is DesiredState.LIVE:
            waiting, error = why()
            begins = waiting is None and runtime.state in (RuntimeState.STOPPED, RuntimeState.STARTING)
            state = RuntimeState.STARTING if begins else RuntimeState.BACKOFF
            is_current = (state, waiting, error) == (runtime.state, runtime.waiting, runtime.last_error)
        else:
            state, waiting, error = RuntimeState.STOPPED, None, None
            is_current = (state, waiting) == (runtime.state, runtime.waiting)
        if not is_current:
            # First, so that what fails here is repeated.
            if error is None:
                self._ingest_issues.record_stopped(stream.stream_id)
            else:
                self._ingest_issues.record_unclaimed(stream.stream_id, waiting, error)
            self._runtimes.mark_unclaimed(
                runtime, state, error, waiting, outage_began_ms(runtime, self._clock.now_ms())
            )

    def _end_sessions(self, stream: Stream) -> None:
        """End sessions of a stream that is not live, refunded from the time of the change on."""
        reason = END_OF_DESIRED.get(stream.desired_state)
        if reason is None:
            return
        for _ in range(SESSIONS_AT_ONCE_MAX // SESSIONS_PER_PAGE):
            page = self._sessions.active(stream.stream_id, limit=SESSIONS_PER_PAGE, cursor=None)
            for record in page.items:
                # A failing session must not block the refunds of the others; the schedule retries.
                with suppress(DomainError, StoreUnavailable):
                    self._billing.end(record.user_id, record.session_id, reason, as_of_ms=stream.desired_since_ms)
            if page.next_cursor is None:
                return
