"""Records of playback sessions in memory, over the store of the wallets."""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.domain.money.sessions import DUE_SHARDS, SessionRecord
from chalicelib.ports.common import ListPage
from tests.fakes.money.wallets import MemoryStore


class MemoryPlaybackSessions:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def get(self, session_id: str) -> SessionRecord | None:
        return self._store.records.get(session_id)

    def by_user(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return self._page([r for r in self._all() if r.user_id == user_id], limit, cursor)

    def by_stream(self, stream_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return self._page([r for r in self._all() if r.stream_id == stream_id], limit, cursor)

    def active(self, stream_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return self._page([r for r in self._all() if r.stream_id == stream_id and r.active], limit, cursor)

    def all_active(self, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        return self._page([r for r in self._all() if r.active], limit, cursor)

    def count_active(self) -> int:
        return sum(record.active for record in self._all())

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

    def _page(self, found: list[SessionRecord], limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        first = int(cursor or 0)
        more = first + limit < len(found)
        return ListPage(items=found[first : first + limit], next_cursor=str(first + limit) if more else None)
