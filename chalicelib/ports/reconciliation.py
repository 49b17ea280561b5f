"""Sessions that are to be reconciled, and what came of it."""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.money.reconciliation import DayTotals, SessionReconciliation
from chalicelib.ports.common import ListPage


@dataclass(frozen=True)
class Due:
    """A session to be reconciled, and the moment that it was due since, in ms."""

    session_id: str
    at_ms: int


class Reconciliations(Protocol):
    """An ended session is due once, at `RECONCILE_AFTER_MS` behind its end, and again whenever somebody says so."""

    def due(self, shard: int, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[Due]:
        """Sessions of a shard that are due, the longest due first. The index may lag behind for a moment."""
        ...

    def settle(self, row: SessionReconciliation, due: Due, again_at_ms: int | None) -> bool:
        """Write the row, and let the session be due at `again_at_ms` or (None) no more, both at once.

        False, and nothing happens, if the session is not due any more as of `due`: somebody else has settled it, or it
        has become due anew.
        """
        ...

    def make_due(self, session_id: str, at_ms: int) -> bool:
        """Let an ended session be due a moment after `at_ms`, or after it was due anyway; False if none has ended.

        A `settle` of what was due before is refused from then on.
        """
        ...

    def rows(self, day: str, *, agrees: bool | None, limit: int, cursor: str | None) -> ListPage[SessionReconciliation]:
        """The sessions that ended on a UTC day, `YYYY-MM-DD`; a page of agreeing ones may be short before the end."""
        ...

    def put_totals(self, totals: DayTotals) -> None:
        """Keep a day's totals, instead of those that were kept before."""
        ...

    def totals(self, day: str) -> DayTotals | None:
        """A day's totals as they were kept last."""
        ...
