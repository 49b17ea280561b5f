"""The port `Errors` in memory."""

from collections.abc import Sequence

from chalicelib.domain.operations.error_counts import ErrorCount, ErrorKind
from chalicelib.domain.operations.traffic import MINUTE_MS
from chalicelib.ports.common import Clock


class MemoryErrors:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rows: dict[ErrorKind, ErrorCount] = {}

    def add(self, kind: ErrorKind, request_id: str) -> None:
        now_ms, before = self.clock.now_ms(), self.rows.get(kind)
        self.rows[kind] = ErrorCount(
            **vars(kind),
            count=before.count + 1 if before else 1,
            first_at_ms=before.first_at_ms if before else now_ms,
            last_at_ms=now_ms,
            last_minute_ms=now_ms - now_ms % MINUTE_MS,
            last_request_id=request_id or (before.last_request_id if before else None),
        )

    def flush_if_due(self) -> None:
        pass

    def listing(self, status_class: str) -> Sequence[ErrorCount]:
        return [row for kind, row in self.rows.items() if kind.status_class == status_class]
