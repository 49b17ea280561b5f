"""Metrics for operators, from the minute counters, the log followers and the sessions' index."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.money.points import MILLIPOINTS_PER_POINT
from chalicelib.domain.operations.error_counts import ErrorCount, ErrorKind
from chalicelib.domain.operations.fetches import watching_sessions
from chalicelib.domain.operations.totals import PROBLEM
from chalicelib.domain.operations.traffic import MINUTE_MS, StreamTraffic, Traffic, hour_of, traffic_of
from chalicelib.ports.common import Clock, ListPage, StoreUnavailable
from chalicelib.ports.money.money import PlaybackSessions
from chalicelib.ports.money.usage import Usage
from chalicelib.ports.operations.counters import Counters
from chalicelib.ports.operations.errors import Errors
from chalicelib.ports.streams.media import MediaStore
from chalicelib.ports.streams.streams import Streams

METRICS_MINUTES = 5
PROBLEM_PREFIX = f"{PROBLEM}."
ERROR_CLASSES = ("4xx", "5xx")


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The last `window_minutes`, including the current minute."""

    at_ms: int
    window_minutes: int
    active_sessions: int
    # Those that fetched a segment lately; None if no follower of a log runs.
    watching_sessions: int | None
    points_spent_per_minute: float
    login_failures: int
    playback_errors: int
    # Actions missing in the audit log; the functions' log has them.
    audit_failures: int
    gateway: Traffic


class Monitoring:
    """Metrics of the API and the gateways. Workers report for themselves."""

    def __init__(
        self,
        *,
        streams: Streams,
        media: MediaStore,
        counters: Counters,
        sessions: PlaybackSessions,
        usage: Usage,
        errors: Errors,
        clock: Clock,
    ) -> None:
        self._streams = streams
        self._media = media
        self._counters = counters
        self._sessions = sessions
        self._usage = usage
        self._errors = errors
        self._clock = clock

    def health(self) -> Mapping[str, bool]:
        """Return for each dependency whether it works."""
        return {
            "tables": _works(lambda: self._streams.list(limit=1, cursor=None)),
            "media": _works(lambda: self._media.list("streams/", limit=1)),
        }

    def count_response(self, problem: Mapping[str, Any] | None, method: str, route: str, request_id: str) -> None:
        """Count a response, if it is a problem, and write the counters if that is due."""
        if problem is not None:
            status, code = problem["status"], problem["code"]
            self._counters.add(f"{PROBLEM_PREFIX}{status}.{code}")
            self._errors.add(ErrorKind(status=status, code=code, method=method, route=route), request_id)
        self._counters.flush_if_due()
        self._errors.flush_if_due()

    def flush(self) -> None:
        """Write the counters of a scheduled run, whose process may not run again."""
        self._counters.flush()

    def set_pages_behind(self, pages: int) -> None:
        """Store how many full pages of journals could not be moved to the ledger."""
        self._counters.set_gauge("ledger_pages_behind", pages)

    def count_failed_start(self) -> None:
        """Count a start that failed."""
        self._counters.add("playback_errors")

    def metrics(self) -> Metrics:
        """Return the latest metrics. Counters are written after seconds, so the newest may be missing."""
        now_ms = self._clock.now_ms()
        minute, total = now_ms // MINUTE_MS, self._recent()
        return Metrics(
            at_ms=now_ms,
            window_minutes=METRICS_MINUTES,
            active_sessions=self.active_sessions(),
            watching_sessions=self.watching_sessions(),
            points_spent_per_minute=_points_per_minute(total),
            login_failures=total["login_failures"],
            playback_errors=total["playback_errors"],
            audit_failures=total["audit_failures"],
            gateway=traffic_of(self._usage.counted(minute - METRICS_MINUTES + 1, minute)),
        )

    def active_sessions(self) -> int:
        """Return how many sessions have not ended."""
        return self._sessions.count_active()

    def watching_sessions(self) -> int | None:
        """Return how many sessions fetch media, None if no gateway's log says so."""
        return watching_sessions(self._usage.followers(), self._clock.now_ms())

    def points_spent_per_minute(self) -> float:
        """Return the points spent less those given back in a minute, the mean of the window."""
        return _points_per_minute(self._recent())

    def _recent(self) -> Counter[str]:
        minute = self._clock.now_ms() // MINUTE_MS
        total: Counter[str] = Counter()
        for counts in self._counters.minutes(minute - METRICS_MINUTES + 1, minute).values():
            total.update(counts)
        return total

    def streams(self, at_ms: int | None, *, limit: int, cursor: str | None) -> ListPage[StreamTraffic]:
        """Return the gateways' answers by stream in the hour of this time, by default the current hour."""
        minute = (self._clock.now_ms() if at_ms is None else at_ms) // MINUTE_MS
        return self._usage.counted_by_stream(hour_of(minute), limit=limit, cursor=cursor)

    def errors(self) -> list[ErrorCount]:
        """Return all errors by code and route, most frequent first."""
        found = [each for status_class in ERROR_CLASSES for each in self._errors.listing(status_class)]
        return sorted(found, key=lambda each: -each.count)


def _points_per_minute(counts: Mapping[str, int]) -> float:
    return round(counts.get("spent_millipoints", 0) / MILLIPOINTS_PER_POINT / METRICS_MINUTES, 3)


def _works(check: Callable[[], object]) -> bool:
    try:
        check()
    except StoreUnavailable:
        return False
    return True
