"""The lists of sessions and payments in memory, over the store of the wallets."""

from chalicelib.domain.money.lists import PaymentFilter, SessionFilter
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import Payment
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


class MemoryPaymentLists:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def page(self, wanted: PaymentFilter, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[Payment]:
        found = sorted((p for p in self._store.payments.values() if wanted.fits(p)), key=lambda p: p.payment_id)
        if not wanted.is_by_id:
            found.sort(key=lambda payment: (payment.at_ms, payment.payment_id), reverse=True)
        return page_of(found, limit, cursor)
