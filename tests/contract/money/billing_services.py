"""Billing over some stores, with a clock that is set."""

from dataclasses import dataclass

from chalicelib.domain.ids import new_session_id, new_user_id
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import SessionKind, SessionRecord
from chalicelib.services.money.billing import Beat, Billing
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.money.session_opener import SessionOpener
from tests.contract.conftest import MoneyStores
from tests.fakes.simple import MemoryCounters, RecordingDenylist, SetClock, Switch

RATE = 60_000
LEASE_MS = 10_000


@dataclass
class Services:
    """Billing over some stores, with the services that it needs."""

    money: MoneyStores
    clock: SetClock
    delivery: Switch
    denylist: RecordingDenylist
    ledger: LedgerService
    billing: Billing
    session_opener: SessionOpener

    def viewer(self, millipoints: int) -> str:
        user_id = new_user_id()
        self.money.wallets.create(user_id)
        if millipoints:
            self.credit(user_id, millipoints)
        return user_id

    def credit(self, user_id: str, millipoints: int) -> None:
        self.ledger.credit(
            user_id=user_id, millipoints=millipoints, payment_id=new_session_id(), note="", by_user_id="u_admin"
        )

    def open(
        self, user_id: str, budget: int = MILLIPOINTS_MAX, session_id: str | None = None, viewers_max: int = 0
    ) -> Beat:
        record = SessionRecord(
            session_id=session_id or new_session_id(),
            user_id=user_id,
            stream_id="stream-1",
            kind=SessionKind.VIEWING,
            started_at_ms=self.clock.now_ms(),
            rate_millipoints_per_minute=RATE,
            lease_ms=LEASE_MS,
            due_shard=0,
            due_ms=self.clock.now_ms(),
        )
        return self.session_opener.open(user_id, record, budget, viewers_max)

    def balance(self, user_id: str) -> int:
        return self.ledger.wallet(user_id).balance_millipoints

    def ledger_sum(self, user_id: str) -> int:
        total, cursor, versions = 0, None, []
        while True:
            page = self.ledger.entries(user_id, limit=5, cursor=cursor)
            total += sum(entry.delta_millipoints for entry in page.items)
            versions += [entry.version for entry in page.items]
            cursor = page.next_cursor
            if cursor is None:
                assert versions == list(range(len(versions), 0, -1))
                return total


def build_services(money: MoneyStores) -> Services:
    """Billing over the given stores, with stubs of everything else."""
    clock, delivery, denylist = SetClock(), Switch(), RecordingDenylist()
    ledger = LedgerService(money.wallets, money.ledger, money.payments, clock)
    billing = Billing(
        wallets=money.wallets,
        sessions=money.sessions,
        ledger=ledger,
        delivery=delivery,  # type: ignore[arg-type]
        denylist=denylist,
        counters=MemoryCounters(),
        clock=clock,
    )
    session_opener = SessionOpener(
        wallets=money.wallets,
        sessions=money.sessions,
        ledger=ledger,
        billing=billing,
        delivery=delivery,  # type: ignore[arg-type]
        counters=MemoryCounters(),
        clock=clock,
        sessions_per_user_max=2,
    )
    return Services(money, clock, delivery, denylist, ledger, billing, session_opener)
