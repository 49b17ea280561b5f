"""The aggregator of log entries: media served by session and day, and counters by minute and stream."""

from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.domain.ids import is_canary
from chalicelib.domain.money.served_spans import Span
from chalicelib.domain.money.usage import Served, day_key, day_of
from chalicelib.domain.operations.fetches import FETCHING_MS, Fetches
from chalicelib.domain.operations.traffic import MINUTE_MS, hour_of
from gateway.usage.log_entries import LogEntry
from gateway.usage.media_responses import MediaResponse, counters_of, media_response_of
from gateway.usage.served_segments import ServedSegments, StoredSegments

# A session that fetches nothing for so long has ended: the reaper ends it after 10 minutes.
IDLE_MS = 1_200_000
SESSIONS_MAX = 20_000

# By epoch minute and stream. The stream "" is the whole gateway; a stream's minute is the first of its hour.
Counters = dict[tuple[int, str], Counter[str]]


class Taken(NamedTuple):
    """Additions since the last `take`, and all spans of each session that has any."""

    served: dict[str, Served]
    counters: Counters
    spans: dict[str, list[Span]]


class UsageAggregator:
    """Adds up log entries: media served by session and day, counters by minute, and by hour and stream.

    It remembers the segments and the stream of every active session. Only authorized requests name a stream, so
    requests of strangers create no counters of their own.
    """

    def __init__(self, sessions: Mapping[str, StoredSegments] | None = None) -> None:
        self._served: dict[str, Served] = {}
        self._counters: Counters = {}
        # Not kept over a restart: it is known again after a minute.
        self._fetches: dict[str, Fetches] = {}
        self._sessions = OrderedDict((key, ServedSegments(*each)) for key, each in (sessions or {}).items())

    @property
    def row_count(self) -> int:
        """The number of rows of the store that `take` returns additions for."""
        return len(self._served) + len(self._counters)

    def add(self, entry: LogEntry) -> None:
        """Add one entry."""
        response = media_response_of(entry)
        if response:
            self._add_response(response, entry.stream_id)
        if entry.is_open:
            return
        # A refusal names no stream, so take the stream that the session was served before.
        session = self._sessions.get(entry.session_id)
        stream_id = entry.stream_id or (session.stream_id if session else "")
        counters, minute = counters_of(entry), entry.at_ms // MINUTE_MS
        self._counters.setdefault((minute, ""), Counter()).update(counters)
        if stream_id:
            self._counters.setdefault((hour_of(minute), stream_id), Counter()).update(counters)

    def _add_response(self, response: MediaResponse, stream_id: str) -> None:
        session = self._sessions.setdefault(response.session_id, ServedSegments())
        self._sessions.move_to_end(response.session_id)
        # nginx's processes write up to a second apart, so a later line may be of an earlier response.
        session.at_ms = max(session.at_ms, response.at_ms)
        session.stream_id = stream_id or session.stream_id
        fetches = self._fetches.get(response.session_id, Fetches())
        self._fetches[response.session_id] = fetches.plus(response.at_ms, response.size, response.rendition)
        media_ms, segments = session.add(response)
        addition = Served(
            media_ms=media_ms,
            media_bytes=response.size,
            segments=segments,
            requests=int(not response.is_open),
            first_at_ms=response.at_ms,
            last_at_ms=session.at_ms,
        )
        for key in (response.session_id, day_key(day_of(response.at_ms))):
            self._served[key] = self._served.get(key, Served()).plus(addition)

    def take(self) -> Taken:
        """Return the sums and counters since the last call. Forget idle sessions, and the oldest of too many."""
        grown = (key for key, each in self._served.items() if each.media_ms and key in self._sessions)
        taken = Taken(self._served, self._counters, {key: self._sessions[key].spans() for key in grown})
        self._served, self._counters = {}, {}
        newest_ms = max((each.at_ms for each in self._sessions.values()), default=0)
        while self._sessions:
            key, oldest = next(iter(self._sessions.items()))
            if len(self._sessions) <= SESSIONS_MAX and oldest.at_ms >= newest_ms - IDLE_MS:
                break
            del self._sessions[key]
            self._fetches.pop(key, None)
        return taken

    def fetches(self, session_id: str) -> Fetches | None:
        """Return what an active session fetched lately; None for a session that fetched nothing since the start."""
        return self._fetches.get(session_id)

    def watching(self, at_ms: int) -> int:
        """Return how many sessions have fetched a segment in the `FETCHING_MS` before this time, or later.

        Synthetic viewers are left out.
        """
        since_ms = at_ms - FETCHING_MS
        return sum(each.segment_at_ms >= since_ms for key, each in self._fetches.items() if not is_canary(key))

    def sessions(self) -> dict[str, StoredSegments]:
        """Return the active sessions in the stored form, from which a new aggregator continues."""
        return {key: each.stored() for key, each in self._sessions.items()}
