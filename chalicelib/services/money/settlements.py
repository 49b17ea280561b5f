"""Settlement of ended sessions: what they were served and what they paid are made equal, once for each session."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.errors import Busy, SessionNotFound
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.settlement import (
    Settlement,
    SettlementWrite,
    charge_of,
    credit_of,
    returned_reserve,
    settlement_of,
)
from chalicelib.domain.money.usage import Served
from chalicelib.domain.money.wallets import Entry, Wallet, credited_today_millipoints, utc_day
from chalicelib.ports.common import Clock
from chalicelib.ports.money.money import PlaybackSessions, WalletRefused, Wallets
from chalicelib.ports.operations.counters import Counters
from chalicelib.services.money.ledger import LedgerService
from chalicelib.services.money.spending import count_spent

TRIES_MAX = 8


@dataclass(frozen=True, kw_only=True)
class CreditRules:
    """The stage's rules: whether there are credits, and how much a user gets at most on a UTC day (0: no bound).

    They bound what comes back beyond the reserves of sessions.
    """

    credits: bool
    per_day_millipoints: int


class Settlements:
    """Settles sessions. `Reconciliation` decides when a session is measured."""

    def __init__(
        self,
        *,
        wallets: Wallets,
        sessions: PlaybackSessions,
        ledger: LedgerService,
        counters: Counters,
        clock: Clock,
        rules: CreditRules,
    ) -> None:
        self._wallets = wallets
        self._sessions = sessions
        self._ledger = ledger
        self._counters = counters
        self._clock = clock
        self._rules = rules

    def settle(self, record: SessionRecord, entries: Sequence[Entry], served: Served | None) -> SessionRecord:
        """Settle an ended session, given its ledger lines and what it was served, and return its record afterwards.

        `served` is None if that cannot be measured: then only the reserve comes back. Raise `Busy`.
        """
        for _ in range(TRIES_MAX):
            due = returned_reserve(record) if served is None else settlement_of(record, entries, served)
            wallet = self._ledger.wallet(record.user_id)
            now_ms = self._clock.now_ms()
            if utc_day(now_ms) > wallet.day:
                self._wallets.begin_day(record.user_id, utc_day(now_ms))
            written = self._bounded(record, due, wallet, now_ms)
            try:
                done = self._wallets.settle(wallet, record, written)
            except WalletRefused as refusal:
                self._ledger.make_room(refusal.wallet or wallet)
                done = False
            if done:
                count_spent(self._counters, record.user_id, -written.delta_millipoints)
                self._ledger.flush_if_due(self._ledger.wallet(record.user_id))
            record = self._again(record)
            if record.settled_at_ms is not None:
                return record
        raise Busy("The wallet was busy at every try. The session was not settled.")

    def _bounded(self, record: SessionRecord, due: Settlement, wallet: Wallet, now_ms: int) -> SettlementWrite:
        if due.millipoints < 0:
            return charge_of(record, due, wallet, now_ms)
        return credit_of(record, due, now_ms, allowed_millipoints=self._allowed_millipoints(wallet, now_ms))

    def _allowed_millipoints(self, wallet: Wallet, now_ms: int) -> int:
        if not self._rules.credits:
            return 0
        most = self._rules.per_day_millipoints or MILLIPOINTS_MAX
        return max(0, most - credited_today_millipoints(wallet, now_ms))

    def _again(self, record: SessionRecord) -> SessionRecord:
        found = self._sessions.get(record.session_id)
        if found is None:
            raise SessionNotFound(f"There is no session {record.session_id}.")
        return found
