"""The gateway of an environment: it invents what sessions are served, and reports its log as a follower does.

The log of a session is complete once a report has passed its end by a minute. A session that was not served anything
until then was served nothing.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.usage import Served
from chalicelib.ports.money.usage import Usage

FOLLOWER = "gateway-1"
SEGMENT_MS = 2_000
LOG_ARRIVES_MS = 60_000
# As many lost ranges as a follower may report.
LOST_MAX = 16
# The log of the session's end is lost.
LOST = "lost"
# What a session is served, beside what it paid for: nothing, parts of it, exactly it, within a segment, within the
# allowance of eight seconds, and far ahead.
AHEAD_MS = (0, 0, 1, 777, 3_000, 7_999, 13_000, 40_000, -1_500, -2_500, -4_000, -9_000, -(10**9), LOST)


@dataclass(frozen=True)
class Report:
    """A follower's report: its position, the true time, and all ranges that it has lost so far."""

    through_ms: int
    at_ms: int
    lost: tuple[tuple[int, int], ...]


class Gateway:
    """A gateway whose log one follower reads."""

    def __init__(self, usage: Usage, table_prefix: str, now_ms: int) -> None:
        self._usage = usage
        self._lock = threading.Lock()
        self.served: dict[str, Served] = {}
        self.reports: list[Report] = []
        self._lost: list[tuple[int, int]] = []
        # Environments share a stage one after another, and each begins at the same time.
        client("dynamodb").delete_item(TableName=table_prefix + "usage", Key=to_row({"session_id": "followers"}))
        self.report((), now_ms, 0)

    def report(self, records: Iterable[SessionRecord], now_ms: int, how: int) -> None:
        """Serve all of these sessions that have ended, and report the log up to now. `how` picks what they are served.

        Call it without faults.
        """
        with self._lock:
            through_ms = self.reports[-1].through_ms if self.reports else 0
            for number, record in enumerate(sorted(records, key=lambda record: record.started_at_ms)):
                ended_ms = record.ended_at_ms
                # Its log may be complete already: an end may arrive in the store long after it was made.
                if ended_ms is None or record.session_id in self.served or ended_ms + LOG_ARRIVES_MS <= through_ms:
                    continue
                ahead_ms = AHEAD_MS[(how + 5 * number) % len(AHEAD_MS)]
                # A loss concerns all sessions of its time, so there are few.
                if ahead_ms == LOST and how % 3 == 0 and len(self._lost) < LOST_MAX:
                    self._lost.append((ended_ms - 1, ended_ms))
                self._serve(record, 0 if isinstance(ahead_ms, str) else ahead_ms, now_ms)
            self._usage.mark(FOLLOWER, now_ms, tuple(self._lost))
            self.reports.append(Report(now_ms, now_ms, tuple(self._lost)))

    def serve(self, record: SessionRecord, ahead_ms: int, now_ms: int) -> None:
        """Serve an ended session this much more than it paid for. Its log is complete with the next report."""
        with self._lock:
            self._serve(record, ahead_ms, now_ms)

    def _serve(self, record: SessionRecord, ahead_ms: int, now_ms: int) -> None:
        rate = record.rate_millipoints_per_minute
        paid_ms = (record.charged_millipoints or 0) * 60_000 // rate if rate else 0
        media_ms = max(0, paid_ms + ahead_ms)
        served = Served(media_ms=media_ms, segments=-(-media_ms // SEGMENT_MS), requests=int(media_ms > 0))
        if media_ms:
            self._usage.add(record.session_id, served, follower=FOLLOWER, batch=1, now_ms=now_ms)
        self.served[record.session_id] = served
