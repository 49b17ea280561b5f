"""The lists of sessions and payments in memory, over the store of the wallets."""

from chalicelib.domain.money.lists import SessionFilter
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.ports.common import ListPage
from tests.fakes.money.wallets import MemoryStore
from tests.fakes.simple import page_of


class MemorySessionLists:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def page(self, wanted: SessionFilter, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        found = [record for record in self._store.records.values() if wanted.fits(record)]
        found.sort(key=lambda record: (wanted.time_of(record), record.session_id), reverse=True)
        return page_of(found, limit, cursor)
