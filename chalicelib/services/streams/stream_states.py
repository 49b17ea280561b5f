"""All streams for operators: what should run, what really happens, who watches, and what is wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from chalicelib.domain.ids import is_canary
from chalicelib.domain.money.sessions import SessionKind, SessionRecord
from chalicelib.domain.streams.issues.ingest_issues import IngestIssue
from chalicelib.domain.streams.issues.issue_kinds import by_severity
from chalicelib.domain.streams.runtime import Runtime, RuntimeState, is_delivered
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import Clock, ListPage, all_items
from chalicelib.ports.money.money import PlaybackSessions
from chalicelib.ports.streams.streams import Runtimes, Streams
from chalicelib.services.streams.ingest_issues import IngestIssuesService
from chalicelib.services.streams.ingest_refusals import IngestRefusals
from chalicelib.services.streams.streams import StreamsService
from chalicelib.services.streams.views import StreamView

# With more active sessions, the list does not count them. The series do, once a minute.
SESSIONS_COUNTED_MAX = 5_000
SESSIONS_PER_PAGE = 1_000


@dataclass(frozen=True, kw_only=True)
class StreamState:
    """A stream with its newest figures.

    `viewers` and `millipoints_per_minute` are without synthetic ones, and None if there are too many sessions to count.
    The bitrates are None while no worker has the stream. `issues` are the open ones, the most severe first.
    """

    view: StreamView
    viewers: int | None
    millipoints_per_minute: int | None
    manifest_age_ms: int | None
    bitrate_bps: int | None
    ingest_bitrate_bps: int | None
    last_error: str | None
    issues: tuple[IngestIssue, ...]


class StreamStates:
    """Lists streams with their state. A page costs one read of all sessions, and one of the issues of each stream
    that runs or should run.
    """

    def __init__(
        self,
        *,
        service: StreamsService,
        streams: Streams,
        runtimes: Runtimes,
        sessions: PlaybackSessions,
        issues: IngestIssuesService,
        refusals: IngestRefusals,
        clock: Clock,
    ) -> None:
        self._service = service
        self._streams = streams
        self._runtimes = runtimes
        self._sessions = sessions
        self._issues = issues
        self._refusals = refusals
        self._clock = clock

    def listing(self, *, limit: int, cursor: str | None) -> ListPage[StreamState]:
        """Return a page of streams that are not archived."""
        page = self._streams.list(limit=limit, cursor=cursor)
        streams = [stream for stream in page.items if not stream.archived]
        runtimes = self._runtimes.get_many(stream.stream_id for stream in streams)
        watching = _by_stream(all_items(self._sessions.all_active, limit=SESSIONS_PER_PAGE)) if streams else {}
        items = [self._state(stream, self._runtime(stream, runtimes), watching) for stream in streams]
        return ListPage(items=items, next_cursor=page.next_cursor)

    def of_stream(self, stream_id: str) -> StreamState:
        """Return the state of one stream. Raise `StreamNotFound`."""
        view = self._service.view(stream_id)
        watching = _by_stream(all_items(self._sessions.active, stream_id, limit=SESSIONS_PER_PAGE))
        return self._state(view.stream, view.runtime, watching)

    def _runtime(self, stream: Stream, runtimes: Mapping[str, Runtime]) -> Runtime:
        """Return the runtime. One that should exist may have been left out by a busy store."""
        found = runtimes.get(stream.stream_id)
        if found is None and stream.desired_state is DesiredState.LIVE:
            found = self._runtimes.get(stream.stream_id)
        return found or Runtime(stream_id=stream.stream_id)

    def _state(
        self, stream: Stream, runtime: Runtime, watching: Mapping[str, list[SessionRecord]] | None
    ) -> StreamState:
        now_ms, view = self._clock.now_ms(), self._service.view_with(stream, runtime)
        is_wanted, is_claimed = stream.desired_state is DesiredState.LIVE, runtime.is_claimed(now_ms)
        viewers = None if watching is None else watching.get(stream.stream_id, [])
        spent = None if viewers is None else _millipoints_per_minute(viewers) if is_delivered(runtime, now_ms) else 0
        # The controller closes the issues of a stream that stops.
        may_have_issues = is_wanted or view.state is not RuntimeState.STOPPED
        issues = self._issues.open_issues(stream.stream_id) if may_have_issues else []
        return StreamState(
            view=view,
            viewers=None if viewers is None else len(viewers),
            millipoints_per_minute=spent,
            # The age of what is not to be delivered says nothing.
            manifest_age_ms=view.manifest_age_ms if is_wanted else None,
            bitrate_bps=runtime.bitrate_bps if is_claimed else None,
            ingest_bitrate_bps=runtime.ingest_bitrate_bps if is_claimed else None,
            last_error=self._refusals.last_error(view),
            issues=tuple(sorted(issues, key=by_severity)),
        )


def _by_stream(active: Iterator[SessionRecord]) -> Mapping[str, list[SessionRecord]] | None:
    """Return the sessions by stream, None if there are too many."""
    watching: dict[str, list[SessionRecord]] = {}
    for record in islice(active, SESSIONS_COUNTED_MAX):
        if not is_canary(record.user_id):
            watching.setdefault(record.stream_id, []).append(record)
    return None if next(active, None) else watching


def _millipoints_per_minute(sessions: list[SessionRecord]) -> int:
    return sum(each.rate_millipoints_per_minute for each in sessions if each.kind is SessionKind.VIEWING)
