"""Settlement and reconciliation of every ended session with its ledger and with what it was served."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from chalicelib.domain.errors import DomainError, SessionActive, SessionNotFound
from chalicelib.domain.money.cut_offs import counters_of, cut_off_stats
from chalicelib.domain.money.errors import AdjustmentOutOfBounds
from chalicelib.domain.money.measuring import Measurement, measurement
from chalicelib.domain.money.reconciliation import (
    DayTotals,
    Finding,
    ReconciliationFigures,
    SessionReconciliation,
    add_up,
    next_try_ms,
    reconcile,
)
from chalicelib.domain.money.sessions import DUE_SHARDS, SessionRecord
from chalicelib.domain.money.settlement import awaits_settlement
from chalicelib.domain.money.usage import Follower, Served, day_key, day_of
from chalicelib.domain.money.wallets import MS_PER_DAY, Wallet
from chalicelib.ports.common import Clock, ListPage, StoreUnavailable
from chalicelib.ports.money.money import BeyondCost, PlaybackSessions
from chalicelib.ports.money.reconciliation import Due, Reconciliations
from chalicelib.ports.money.usage import Usage
from chalicelib.ports.operations.counters import Counters
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.money.settlements import Settlements
from chalicelib.services.money.statements import Statements

# A run stops after this and the session in progress. The next run continues.
RUN_S_MAX = 20.0
DUE_PER_PAGE = 100
ROWS_PER_PAGE = 1_000
# Sums of a day stop at this many pages.
PAGES_PER_DAY_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Run:
    """The result of a run: sessions settled, postponed because they are unmeasured, and failed (still due)."""

    settled: int = 0
    postponed: int = 0
    failed: int = 0


class Reconciliation:
    """Compares what was served with what was paid."""

    def __init__(
        self,
        *,
        table: Reconciliations,
        sessions: PlaybackSessions,
        ledger: LedgerService,
        statements: Statements,
        settlements: Settlements,
        usage: Usage,
        counters: Counters,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._sessions = sessions
        self._ledger = ledger
        self._statements = statements
        self._settlements = settlements
        self._usage = usage
        self._counters = counters
        self._clock = clock
        self._monotonic = monotonic

    def run(self) -> Run:
        """Reconcile all sessions that are due, as far as time allows. For the schedule."""
        deadline = self._monotonic() + RUN_S_MAX
        now_ms = self._clock.now_ms()
        followers = self._usage.followers()
        settled = postponed = failed = 0
        for due in self._due(now_ms, deadline):
            if self._monotonic() >= deadline:
                break
            # A failing session stays due and must not block the others.
            try:
                done = self._reconcile(due, followers)
            except (DomainError, StoreUnavailable):
                failed += 1
            else:
                settled, postponed = settled + done, postponed + (not done)
        if settled or postponed:
            for day in self._days(now_ms):
                self._table.put_totals(self.totals(day))
        return Run(settled=settled, postponed=postponed, failed=failed)

    def _due(self, now_ms: int, deadline: float) -> Iterator[Due]:
        # In random order, so that a run that stops early does not always skip the same shards.
        for shard in random.sample(range(DUE_SHARDS), DUE_SHARDS):
            cursor: str | None = None
            while self._monotonic() < deadline:
                page = self._table.due(shard, now_ms, limit=DUE_PER_PAGE, cursor=cursor)
                yield from page.items
                cursor = page.next_cursor
                if cursor is None:
                    break

    def _reconcile(self, due: Due, followers: Mapping[str, Follower]) -> bool:
        """Settle the session if it can be, and return whether its result is final."""
        record = self._sessions.get(due.session_id)
        if record is None or record.ended_at_ms is None:
            raise SessionNotFound(f"There is no ended session {due.session_id}.")
        now_ms = self._clock.now_ms()
        state = measurement(record.started_at_ms, record.ended_at_ms, followers, now_ms)
        is_measured, served = state is Measurement.MEASURED, self._usage.get(record.session_id)
        entries = list(self._statements.session_entries(record))
        row = reconcile(record, entries, served, now_ms, measured=is_measured)
        # A damaged ledger must not move money.
        can_settle = state is not Measurement.PENDING and row.reason is not Finding.LEDGER_MISMATCH
        if can_settle and awaits_settlement(record):
            record = self._settlements.settle(record, entries, (served or Served()) if is_measured else None)
            entries = list(self._statements.session_entries(record))
            row = reconcile(record, entries, served, now_ms, measured=is_measured)
        again_at_ms = next_try_ms(row)
        before = None if row.cut_off_ms is None else self._table.row(row.day, row.session_id)
        # An adjustment makes a session due again, with the same cut-off time.
        is_new = row.cut_off_ms is not None and (before is None or before.cut_off_ms is None)
        if self._table.settle(row, due, again_at_ms) and is_new:
            for name, amount in counters_of(row.end_reason, row.cut_off_ms or 0).items():
                self._counters.add(name, amount)
        return again_at_ms is None

    def rows(
        self, day: str | None, *, agrees: bool | None, limit: int, cursor: str | None
    ) -> ListPage[SessionReconciliation]:
        """Return the sessions that ended on a UTC day (today if None): all, or those that agree or disagree."""
        return self._table.rows(day or day_of(self._clock.now_ms()), agrees=agrees, limit=limit, cursor=cursor)

    def result_of(self, record: SessionRecord) -> SessionReconciliation | None:
        """Return the newest result of a session; None until there is one."""
        if record.ended_at_ms is None:
            return None
        return self._table.row(day_of(record.ended_at_ms), record.session_id)

    def totals(self, day: str) -> DayTotals:
        """Return the sums of a day, computed now."""
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
        """Return whether a UTC day is over."""
        return day < day_of(self._clock.now_ms())

    def served_on(self, day: str) -> Served:
        """Return all that the gateways served on a UTC day, to ended and to active sessions."""
        return self._usage.get(day_key(day)) or Served()

    def figures(self) -> ReconciliationFigures:
        """Return the sums of yesterday and today as of the last run: two reads for any number of sessions."""
        kept = [self._table.totals(day) for day in self._days(self._clock.now_ms())]
        found = [totals for totals in kept if totals is not None]
        return ReconciliationFigures(
            sessions=sum(totals.sessions for totals in found),
            disagreeing=sum(totals.disagreeing for totals in found),
            ledger_mismatches=sum(totals.ledger_mismatches for totals in found),
            drift_points=sum(totals.drift_millipoints for totals in found) / 1000,
            cut_offs=cut_off_stats(each for totals in found for each in totals.cut_offs),
        )

    def stored_totals(self, day: str | None) -> DayTotals:
        """Return the sums of a UTC day (today if None) as of the last run: one read."""
        day = day or day_of(self._clock.now_ms())
        return self._table.totals(day) or DayTotals(day=day)

    def adjust(self, session_id: str, *, millipoints: int, payment_id: str, note: str, by_user_id: str) -> Wallet:
        """Give points to a session's viewer (or, negative, take some), exactly once by `payment_id`.

        The session becomes due for reconciliation. Raise `SessionNotFound`, `SessionActive`, `AdjustmentOutOfBounds`,
        and what `LedgerService.credit` raises.
        """
        record = self._record(session_id)
        if record.active:
            raise SessionActive("The cost of an active session is known at its end. Stop or kick it first.")
        # The settlement may change the session's cost meanwhile, but only once.
        for is_last in (False, True):
            try:
                wallet = self._ledger.credit(
                    user_id=record.user_id,
                    millipoints=millipoints,
                    payment_id=payment_id,
                    note=note,
                    by_user_id=by_user_id,
                    session=record,
                )
                break
            except BeyondCost:
                record = self._record(session_id)
                if is_last:
                    raise _out_of_bounds(record) from None
        # The adjustment made it due in its own transaction. A repeated request makes it due once more.
        self._table.make_due(session_id, self._clock.now_ms())
        return wallet

    def served(self, session_id: str) -> Served:
        """Return what a session was served until a few seconds ago."""
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
        f" {record.adjusted_millipoints}. Allowed: from {least} to {most} millipoints.",
        millipoints_min=least,
        millipoints_max=most,
    )
