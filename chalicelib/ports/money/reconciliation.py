"""Sessions that are due for reconciliation, and the results."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.money.reconciliation import DayTotals, SessionReconciliation
from chalicelib.ports.common import ListPage


@dataclass(frozen=True)
class Due:
    """A session to reconcile, and since when it is due, in ms."""

    session_id: str
    at_ms: int


class Reconciliations(Protocol):
    """An ended session is due once, `RECONCILE_AFTER_MS` after its end, and again after `make_due`."""

    def due(self, shard: int, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[Due]:
        """Return due sessions of a shard, the longest due first. The index may lag."""

    def settle(self, row: SessionReconciliation, due: Due, again_at_ms: int | None) -> bool:
        """Write the result, and set the session due at `again_at_ms` or (None) no more, in one transaction.

        It also adds what is new in the result to the money totals of the day.

        Return False without a change if the session is no longer due as of `due`: it was settled or became due again.
        """

    def make_due(self, session_id: str, at_ms: int) -> bool:
        """Make an ended session due at `at_ms`, or a moment after its present due time. Return False if it has not
        ended.

        A `settle` for the earlier due time fails from then on.
        """

    def row(self, day: str, session_id: str) -> SessionReconciliation | None:
        """Return the result of a session that ended on a UTC day, by a consistent read."""

    def rows(self, day: str, *, agrees: bool | None, limit: int, cursor: str | None) -> ListPage[SessionReconciliation]:
        """Return the sessions that ended on a UTC day, `YYYY-MM-DD`. A page of agreeing ones may be short."""

    def cut_offs(self, ends: Iterable[tuple[str, str]]) -> Mapping[str, int]:
        """Return the measured cut-off times in ms by session id, from days and session ids.

        Sessions whose cut-off is not measured yet, or that were not read in time, are left out.
        """

    def put_totals(self, totals: DayTotals) -> None:
        """Store a day's totals, replacing earlier ones."""

    def totals(self, day: str) -> DayTotals | None:
        """Return a day's stored totals."""
