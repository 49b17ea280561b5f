"""A session that has bought one lease; records of playback sessions in memory, over the store of the wallets."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.ids import is_canary
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import DUE_SHARDS, ActiveSession, SessionKind, SessionRecord
from chalicelib.ports.common import ListPage
from tests.fakes.money.wallets import MemoryStore
from tests.fakes.simple import page_of

WATCHED = {"session_id": "a" * 26, "stream_id": "stream-1", "kind": SessionKind.VIEWING}
PRICE = {"rate_millipoints_per_minute": 60_000, "lease_ms": 10_000}
CHARGED = {"charge_millipoints": 10_000, "charged_millipoints": 10_000, "budget_millipoints": MILLIPOINTS_MAX}


def active_session(now_ms: int, **changes: Any) -> ActiveSession:
    """Return a session that has bought its first lease, of 10 s for 10 points."""
    lease = {"seq": 1, "paid_from_ms": now_ms, "paid_until_ms": now_ms + 10_000, "granted_ms": 10_000}
    return ActiveSession(**{**WATCHED, "started_at_ms": now_ms, **PRICE, **CHARGED, **lease, **changes})


def session_record(started_at_ms: int, **changes: Any) -> SessionRecord:
    """Return the record of a session."""
    values = {**WATCHED, "user_id": "u_" + "a" * 20, "started_at_ms": started_at_ms, **PRICE}
    return SessionRecord(**{**values, "due_shard": 0, "due_ms": 0, **changes})


class MemoryPlaybackSessions:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def get(self, session_id: str) -> SessionRecord | None:
        return self._store.records.get(session_id)

    def by_user(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return page_of([r for r in self._all() if r.user_id == user_id], limit, cursor)

    def newest_of_user(self, user_id: str, *, until_ms: int, limit: int) -> Sequence[SessionRecord]:
        return [r for r in self._all() if r.user_id == user_id and r.started_at_ms <= until_ms][:limit]

    def active(self, stream_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return page_of([r for r in self._all() if r.stream_id == stream_id and r.active], limit, cursor)

    def all_active(self, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return page_of([r for r in self._all() if r.active], limit, cursor)

    def count_active(self) -> int:
        return sum(record.active and not is_canary(record.user_id) for record in self._all())

    def due(self, shard: int, now_ms: int, limit: int) -> Sequence[SessionRecord]:
        assert 0 <= shard < DUE_SHARDS
        found = [r for r in self._all() if r.active and r.due_shard == shard and r.due_ms <= now_ms]
        return sorted(found, key=lambda record: record.due_ms)[:limit]

    def rearm(self, session_id: str, due_ms: int) -> None:
        record = self._store.records.get(session_id)
        if record is not None and record.active:
            self._store.records[session_id] = replace(record, due_ms=due_ms)

    def _all(self) -> list[SessionRecord]:
        return sorted(self._store.records.values(), key=lambda record: -record.started_at_ms)
