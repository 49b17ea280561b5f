"""Ledger, payments and totals in memory, over the same store as the wallets."""

from collections.abc import Mapping, Sequence

from chalicelib.domain.money.totals import MoneyTotals
from chalicelib.domain.money.wallets import Page, Payment
from tests.fakes.money.wallets import MemoryStore


class MemoryLedger:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def put_page(self, user_id: str, page: Page) -> None:
        self._store.pages[user_id, page.first_version] = page

    def pages(self, user_id: str, *, up_to_version: int, limit: int) -> Sequence[Page]:
        found = [
            page for (user, first), page in self._store.pages.items() if user == user_id and first <= up_to_version
        ]
        return sorted(found, key=lambda page: -page.first_version)[:limit]

    def pages_from(self, user_id: str, *, from_version: int, limit: int) -> Sequence[Page]:
        found = [page for (user, first), page in self._store.pages.items() if user == user_id and first >= from_version]
        return sorted(found, key=lambda page: page.first_version)[:limit]


class MemoryPayments:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def get(self, payment_id: str) -> Payment | None:
        return self._store.payments.get(payment_id)

    def newest_of_user(self, user_id: str, *, until_ms: int, limit: int) -> Sequence[Payment]:
        found = [each for each in self._store.payments.values() if each.user_id == user_id and each.at_ms <= until_ms]
        return sorted(found, key=lambda each: -each.at_ms)[:limit]


class MemoryTotalsByDay:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def of_month(self, month: str) -> Mapping[str, MoneyTotals]:
        return {day: totals for day, totals in self._store.totals.items() if day.startswith(month)}
