"""Billing over some stores, with a clock that is set."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.bootstrap import Container
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_session_id, new_user_id
from chalicelib.domain.money.errors import SessionOver
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.ports.common import all_items
from chalicelib.services.money.billing import Beat
from chalicelib.stores import Stores
from tests.fakes.access.denylist import FakeDenylist
from tests.fakes.money.sessions import session_record
from tests.fakes.simple import MemoryCounters, SetClock, Switch

RATE = 60_000
LEASE_MS = 10_000


class Services(Container):
    """The product's services over some stores, with a clock that is set and a switch for delivery."""

    def __init__(self, stores: Stores, sessions_per_user_max: int = 2) -> None:
        super().__init__(replace(stores.settings, sessions_per_user_max=sessions_per_user_max))
        self.stores, self.delivery, self.clock = stores, Switch(), SetClock()
        stores.clock, stores.counters, stores.denylist = self.clock, MemoryCounters(), FakeDenylist()

    def viewer(self, millipoints: int = 100_000) -> str:
        user_id = new_user_id()
        self.stores.wallets.create(user_id)
        if millipoints:
            self.credit(user_id, millipoints)
        return user_id

    def credit(self, user_id: str, millipoints: int, payment_id: str = "") -> None:
        payment = {"payment_id": payment_id or new_session_id(), "note": "", "by_user_id": "u_admin"}
        self.ledger.credit(user_id=user_id, millipoints=millipoints, **payment)

    def open(
        self, user_id: str, budget: int = MILLIPOINTS_MAX, session_id: str | None = None, viewers_max: int = 0
    ) -> Beat:
        ids = {"session_id": session_id or new_session_id(), "user_id": user_id}
        return self.session_opener.open(user_id, session_record(self.clock.now_ms(), **ids), budget, viewers_max)

    def watching(self, millipoints: int = 100_000, budget: int = MILLIPOINTS_MAX) -> "Playback":
        user_id = self.viewer(millipoints)
        return Playback(self, user_id, self.open(user_id, budget).session.session_id)

    def balance(self, user_id: str) -> int:
        return self.ledger.wallet(user_id).balance_millipoints

    def ledger_sum(self, user_id: str, page_entries: int = 5) -> int:
        """The sum of all entries, which number the wallet's versions without a gap or a repetition."""
        entries = list(all_items(self.ledger.entries, user_id, limit=page_entries))
        assert [entry.version for entry in entries] == list(range(self.ledger.wallet(user_id).version, 0, -1))
        assert len({entry.entry_id for entry in entries}) == len(entries)
        return sum(entry.delta_millipoints for entry in entries)


@dataclass
class Playback:
    """A viewer's session. `after_ms` is the time that passes before the call."""

    services: Services
    user_id: str
    session_id: str

    @property
    def balance(self) -> int:
        return self.services.balance(self.user_id)

    @property
    def ledger_sum(self) -> int:
        return self.services.ledger_sum(self.user_id)

    def beat(self, seq: int, after_ms: int = 0) -> Beat:
        self.services.clock.advance(after_ms)
        return self.services.billing.heartbeat(self.user_id, self.session_id, seq)

    def end(
        self, reason: EndReason = EndReason.VIEWER_STOPPED, after_ms: int = 0, as_of_ms: int | None = None
    ) -> SessionRecord:
        self.services.clock.advance(after_ms)
        return self.services.billing.end(self.user_id, self.session_id, reason, as_of_ms=as_of_ms)

    def kinds(self) -> list[str]:
        """The kinds of this session's entries, oldest first."""
        entries = self.services.ledger.entries(self.user_id, limit=50, cursor=None).items
        return [entry.kind.value for entry in reversed(entries) if entry.session_id]


def ended_by(reason: EndReason) -> Any:
    return pytest.raises(SessionOver, check=lambda over: over.reason is reason)
