"""The port `Reconciliations` in memory, over the same store as the wallets' fake."""

from chalicelib.domain.money.reconciliation import DayTotals, SessionReconciliation
from chalicelib.ports.common import ListPage
from chalicelib.ports.reconciliation import Due
from tests.fakes.money.wallets import MemoryStore
from tests.fakes.simple import page_of


class MemoryReconciliations:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.written: dict[tuple[str, str], SessionReconciliation] = {}
        self.kept: dict[str, DayTotals] = {}

    def due(self, shard: int, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[Due]:
        found = sorted(
            (at_ms, session_id)
            for session_id, (its_shard, at_ms) in self._store.reconcile_at.items()
            if its_shard == shard and at_ms <= now_ms and (cursor is None or f"{at_ms} {session_id}" > cursor)
        )
        items = [Due(session_id, at_ms) for at_ms, session_id in found[:limit]]
        more = len(found) > limit
        return ListPage(items=items, next_cursor=f"{items[-1].at_ms} {items[-1].session_id}" if more else None)

    def settle(self, row: SessionReconciliation, due: Due, again_at_ms: int | None) -> bool:
        with self._store.lock:
            shard, at_ms = self._store.reconcile_at.get(due.session_id, (0, None))
            if at_ms != due.at_ms:
                return False
            self.written[row.day, row.session_id] = row
            if again_at_ms is None:
                del self._store.reconcile_at[due.session_id]
            else:
                self._store.reconcile_at[due.session_id] = (shard, again_at_ms)
            return True

    def make_due(self, session_id: str, at_ms: int) -> bool:
        with self._store.lock:
            record = self._store.records.get(session_id)
            if record is None or record.active:
                return False
            shard, before_ms = self._store.reconcile_at.get(session_id, (5, at_ms))
            self._store.reconcile_at[session_id] = (shard, before_ms + 1)
            return True

    def rows(self, day: str, *, agrees: bool | None, limit: int, cursor: str | None) -> ListPage[SessionReconciliation]:
        found = [
            row for (its_day, _), row in sorted(self.written.items()) if its_day == day and agrees in (None, row.agrees)
        ]
        return page_of(found, limit, cursor)

    def put_totals(self, totals: DayTotals) -> None:
        self.kept[totals.day] = totals

    def totals(self, day: str) -> DayTotals | None:
        return self.kept.get(day)
