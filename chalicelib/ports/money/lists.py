"""The lists of sessions and payments, which are answered from indexes."""

from typing import Protocol

from chalicelib.domain.money.lists import PaymentFilter, SessionFilter
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import Payment
from chalicelib.ports.common import ListPage


class SessionLists(Protocol):
    """Sessions by filter. A list may be a second behind the records."""

    def page(self, wanted: SessionFilter, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        """Return sessions, newest first. A page may be short or empty before the end, so one request is bounded."""


class PaymentLists(Protocol):
    """Payments by filter. A list may be a second behind the payments."""

    def page(self, wanted: PaymentFilter, now_ms: int, *, limit: int, cursor: str | None) -> ListPage[Payment]:
        """Return payments in the order of the filter. A page may be short or empty before the end."""
