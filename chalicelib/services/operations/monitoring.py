"""Metrics for operators, from the minute counters, the log followers and the sessions' index."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.operations.traffic import MINUTE_MS, StreamTraffic, Traffic, hour_of, traffic_of
from chalicelib.ports.common import Clock, ListPage, StoreUnavailable
from chalicelib.ports.counters import Counters
from chalicelib.ports.media import MediaStore
from chalicelib.ports.money import PlaybackSessions
from chalicelib.ports.streams import Streams
from chalicelib.ports.usage import Usage

METRICS_MINUTES = 5
ERRORS_MINUTES = 60
PROBLEM_PREFIX = "problem."


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The last `window_minutes`, including the current minute."""

    at_ms: int
    window_minutes: int
    active_sessions: int
    points_spent_per_minute: float
    login_failures: int
    playback_errors: int
    # Actions missing in the audit log; the functions' log has them.
    audit_failures: int
    gateway: Traffic


@dataclass(frozen=True, kw_only=True)
class ErrorCount:
    """How often an error was returned in the window."""

    status: int
    code: str
    count: int
    last_minute_ms: int


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
        clock: Clock,
    ) -> None:
        self._streams = streams
        self._media = media
        self._counters = counters
        self._sessions = sessions
        self._usage = usage
        self._clock = clock

    def health(self) -> Mapping[str, bool]:
        """Return for each dependency whether it works."""
        return {
            "tables": _works(lambda: self._streams.list(limit=1, cursor=None)),
            "media": _works(lambda: self._media.list("streams/", limit=1)),
        }

    def count_response(self, problem: Mapping[str, Any] | None) -> None:
        """Count a response, if it is a problem, and write the counters if that is due."""
        if problem is not None:
            self._counters.add(f"{PROBLEM_PREFIX}{problem['status']}.{problem['code']}")
        self._counters.flush_if_due()

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
        minute = now_ms // MINUTE_MS
        total: Counter[str] = Counter()
        for counts in self._counters.minutes(minute - METRICS_MINUTES + 1, minute).values():
            total.update(counts)
        return Metrics(
            at_ms=now_ms,
            window_minutes=METRICS_MINUTES,
            active_sessions=self._sessions.count_active(),
            points_spent_per_minute=round(total["spent_millipoints"] / 1000 / METRICS_MINUTES, 3),
            login_failures=total["login_failures"],
            playback_errors=total["playback_errors"],
            audit_failures=total["audit_failures"],
            gateway=traffic_of(self._usage.counted(minute - METRICS_MINUTES + 1, minute)),
        )

    def streams(self, at_ms: int | None, *, limit: int, cursor: str | None) -> ListPage[StreamTraffic]:
        """Return the gateways' answers by stream in the hour of this time, by default the current hour."""
        minute = (self._clock.now_ms() if at_ms is None else at_ms) // MINUTE_MS
        return self._usage.counted_by_stream(hour_of(minute), limit=limit, cursor=cursor)

    def errors(self) -> list[ErrorCount]:
        """Return the errors of the last hour by status and code, most frequent first."""
        minute = self._clock.now_ms() // MINUTE_MS
        counts: Counter[str] = Counter()
        last: dict[str, int] = {}
        for each, found in self._counters.minutes(minute - ERRORS_MINUTES + 1, minute).items():
            for name, count in found.items():
                if name.startswith(PROBLEM_PREFIX):
                    counts[name] += count
                    last[name] = max(each * MINUTE_MS, last.get(name, 0))
        return [_error_count(name, count, last[name]) for name, count in counts.most_common()]


def _works(check: Callable[[], object]) -> bool:
    try:
        check()
    except StoreUnavailable:
        return False
    return True


def _error_count(name: str, count: int, last_minute_ms: int) -> ErrorCount:
    status, code = name.removeprefix(PROBLEM_PREFIX).split(".", 1)
    return ErrorCount(status=int(status), code=code, count=count, last_minute_ms=last_minute_ms)
