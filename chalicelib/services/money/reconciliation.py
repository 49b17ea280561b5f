"""Every ended session is held against its ledger and against what it was served; operators see where they differ."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.errors import AdjustmentOutOfBounds, DomainError, SessionActive, SessionNotFound
from chalicelib.domain.money.cut_offs import CutOffStats
from chalicelib.domain.money.cut_offs import cut_off_stats as cut_off_figures
from chalicelib.domain.money.reconciliation import (
    DayTotals,
    SessionReconciliation,
    add_up,
    is_measured,
    next_try_ms,
    reconcile,
)
from chalicelib.domain.money.sessions import DUE_SHARDS, SessionRecord
from chalicelib.domain.money.usage import Served, day_key, day_of
from chalicelib.domain.money.wallets import Wallet
from chalicelib.ports import (
    BeyondCost,
    Clock,
    Due,
    ListPage,
    PlaybackSessions,
    Reconciliations,
    StoreUnavailable,
    Usage,
)
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.money.statements import Statements

# One run takes no longer than this, and one session more; the next run goes on.
RUN_S_MAX = 20.0
DUE_PER_PAGE = 100
ROWS_PER_PAGE = 1_000
# More sessions of one day than this are not added up.
PAGES_PER_DAY_MAX = 100
MS_PER_DAY = 86_400_000


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run did: sessions settled, left for later since they are not measured, and failed (still due)."""

    settled: int = 0
    postponed: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True)
class ReconciliationFigures:
    """Yesterday and today together, as of the last run."""

    sessions: int
    disagreeing: int
    drift_points: float
    cut_offs: list[CutOffStats]


class Reconciliation:
    """What was served against what was paid."""

    def __init__(
        self,
        *,
        table: Reconciliations,
        sessions: PlaybackSessions,
        ledger: LedgerService,
        statements: Statements,
        usage: Usage,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._sessions = sessions
        self._ledger = ledger
        self._statements = statements
        self._usage = usage
        self._clock = clock
        self._monotonic = monotonic

    def run(self) -> Run:
        """Reconcile all sessions that are due, as far as the time allows. For the schedule."""
        deadline = self._monotonic() + RUN_S_MAX
        now_ms = self._clock.now_ms()
        followers = list(self._usage.marks().values())
        settled = postponed = failed = 0
        # In another order each time, so that a run that ends early does not always leave the same ones.
        for shard in random.sample(range(DUE_SHARDS), DUE_SHARDS):
            cursor: str | None = None
            while self._monotonic() < deadline:
                page = self._table.due(shard, now_ms, limit=DUE_PER_PAGE, cursor=cursor)
                for due in page.items:
                    if self._monotonic() >= deadline:
                        break
                    # One that cannot be reconciled now must not keep the others from it; it stays due.
                    try:
                        done = self._reconcile(due, followers)
                    except (DomainError, StoreUnavailable):
                        failed += 1
                    else:
                        settled, postponed = settled + done, postponed + (not done)
                cursor = page.next_cursor
                if cursor is None:
                    break
        if settled or postponed:
            for day in self._days(now_ms):
                self._table.put_totals(self.totals(day))
        return Run(settled=settled, postponed=postponed, failed=failed)

    def _reconcile(self, due: Due, followers: list[int]) -> bool:
        """Whether the session needs no more looks for now."""
        record = self._sessions.get(due.session_id)
        if record is None or record.ended_at_ms is None:
            raise SessionNotFound(f"There is no ended session {due.session_id}.")
        now_ms = self._clock.now_ms()
        row = reconcile(
            record,
            list(self._statements.session_entries(record)),
            self._usage.get(record.session_id),
            now_ms,
            measured=is_measured(record.ended_at_ms, followers, now_ms),
        )
        again_at_ms = next_try_ms(row)
        self._table.settle(row, due, again_at_ms)
        return again_at_ms is None

    def rows(
        self, day: str | None, *, agrees: bool | None, limit: int, cursor: str | None
    ) -> ListPage[SessionReconciliation]:
        """The sessions that ended on a UTC day, today if None: all, or those that (dis)agree."""
        return self._table.rows(day or day_of(self._clock.now_ms()), agrees=agrees, limit=limit, cursor=cursor)

    def totals(self, day: str) -> DayTotals:
        """The sums of a day, added up now."""
        rows: list[SessionReconciliation] = []
        cursor: str | None = None
        for _ in range(PAGES_PER_DAY_MAX):
            page = self._table.rows(day, agrees=None, limit=ROWS_PER_PAGE, cursor=cursor)
            rows += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        return add_up(day, rows, all_added_up=cursor is None)

    def is_over(self, day: str) -> bool:
        """Whether a UTC day lies behind us."""
        return day < day_of(self._clock.now_ms())

    def served_on(self, day: str) -> Served:
        """All that the gateways served on a UTC day, to sessions that have ended and to those that have not."""
        return self._usage.get(day_key(day)) or Served()

    def figures(self) -> ReconciliationFigures:
        """Yesterday and today as the last run left them: two reads, however many sessions there were."""
        kept = [self._table.totals(day) for day in self._days(self._clock.now_ms())]
        found = [totals for totals in kept if totals is not None]
        return ReconciliationFigures(
            sessions=sum(totals.sessions for totals in found),
            disagreeing=sum(totals.disagreeing for totals in found),
            drift_points=sum(totals.drift_millipoints for totals in found) / 1000,
            cut_offs=cut_off_figures(each for totals in found for each in totals.cut_offs),
        )

    def stored_totals(self, day: str | None) -> DayTotals:
        """The sums of a UTC day, today if None, as the last run left them: one read, however many sessions it has."""
        day = day or day_of(self._clock.now_ms())
        return self._table.totals(day) or DayTotals(day=day)

    def adjust(self, session_id: str, *, millipoints: int, payment_id: str, note: str, by_user_id: str) -> Wallet:
        """Give points to a session's viewer (or, negative, take some) for it, exactly once by `payment_id`.

        The session is reconciled anew. Raises `SessionNotFound`, `SessionActive`, `AdjustmentOutOfBounds`, and what
        `LedgerService.credit` raises.
        """
        record = self._record(session_id)
        if record.active:
            raise SessionActive("The session goes on: what it costs is known at its end. Stop or kick it first.")
        try:
            wallet = self._ledger.credit(
                user_id=record.user_id,
                millipoints=millipoints,
                payment_id=payment_id,
                note=note,
                by_user_id=by_user_id,
                session=record,
            )
        except BeyondCost:
            raise _out_of_bounds(self._record(session_id)) from None
        # After the line is there; whoever got no answer sends the same again, which ends up here again.
        self._table.make_due(session_id, self._clock.now_ms())
        return wallet

    def served(self, session_id: str) -> Served:
        """What a session was served until a few seconds ago."""
        return self._usage.get(session_id) or Served()

    def _record(self, session_id: str) -> SessionRecord:
        record = self._sessions.get(session_id)
        if record is None:
            raise SessionNotFound(f"There is no session {session_id}.")
        return record

    @staticmethod
    def _days(now_ms: int) -> tuple[str, str]:
        return day_of(now_ms - MS_PER_DAY), day_of(now_ms)


def _out_of_bounds(record: SessionRecord) -> AdjustmentOutOfBounds:
    least, most = record.adjustable_millipoints
    return AdjustmentOutOfBounds(
        f"The session cost {record.charged_millipoints} millipoints, of which adjustments have given back"
        f" {record.adjusted_millipoints}: one more may give from {least} to {most} millipoints.",
        millipoints_min=least,
        millipoints_max=most,
    )
