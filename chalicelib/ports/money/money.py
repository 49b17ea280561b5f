"""Wallets, ledger, payments, and the records of sessions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import Closing, Purchase
from chalicelib.domain.money.sessions import ActiveSession, SessionRecord
from chalicelib.domain.money.settlement import SettlementWrite
from chalicelib.domain.money.wallets import Page, Payment, Wallet
from chalicelib.domain.streams.outages import OutageCredit
from chalicelib.ports.common import ListPage


class WalletRefused(Exception):
    """A condition on a wallet did not hold. `wallet` is the item at that time, None if missing or unknown."""

    def __init__(self, wallet: Wallet | None) -> None:
        super().__init__("the wallet's condition did not hold")
        self.wallet = wallet


class NoPlace(WalletRefused):
    """The stream has as many viewers as allowed."""


class BeyondCost(WalletRefused):
    """The session's adjustments would not stay between 0 and its cost."""


@dataclass(frozen=True, kw_only=True)
class OnTimeBeat:
    """The input of the common heartbeat.

    `outage_ms` is the id of the stream's newest outage, 0 if there was none. The session must have been credited for
    it.
    """

    session_id: str
    stream_id: str
    seq: int
    now_ms: int
    outage_ms: int


class Wallets(Protocol):
    """Wallet items. Every method that changes money is one conditional write or one transaction."""

    def create(self, user_id: str) -> None:
        """Create an empty wallet unless it exists."""

    def get(self, user_id: str) -> Wallet | None:
        """Return a wallet by a consistent read."""

    def get_many(self, user_ids: Iterable[str]) -> Mapping[str, Wallet]:
        """Return the wallets of these users, without missing ones and those that were not read in time."""

    def buy_on_time(self, user_id: str, beat: OnTimeBeat) -> Wallet:
        """Sell a lease for the common heartbeat, in one write without a prior read. Return the new wallet.

        Raise `WalletRefused` unless the session exists, `seq` is new, `now_ms` is in the session's window and the
        wallet's day, no outage is unsettled, balance, day and budget suffice, and the journal is below its cap.
        """

    def buy(
        self, user_id: str, seen: ActiveSession, seq: int, purchase: Purchase, now_ms: int, outage_ms: int
    ) -> Wallet:
        """Make any other purchase, guarded by the session as seen. The charge must still be covered.

        A `poor` purchase takes the exact remainder, so the balance (or day, or budget) must still equal it. Outages up
        to `outage_ms` count as settled.
        """

    def credit_outage(self, user_id: str, seen: ActiveSession, credit: OutageCredit, now_ms: int) -> Wallet:
        """Credit a session for an outage, guarded by the session as seen."""

    def begin_day(self, user_id: str, day: int) -> None:
        """Reset the daily cap for a new day. Does nothing if that day has begun in the wallet."""

    def set_daily_cap(self, seen: Wallet, cap_millipoints: int) -> bool:
        """Set the cap; what was spent today stays spent. Return False if the cap changed since `seen`."""

    def start(
        self,
        user_id: str,
        session: ActiveSession,
        record: SessionRecord,
        sessions_max: int,
        viewers_max: int,
        debt_millipoints: int = 0,
    ) -> None:
        """Pay all debt, add the session with its first lease and put its record, in one transaction.

        `debt_millipoints` must be the wallet's debt if the session costs something, and is paid before the lease. The
        balance and the daily cap must cover `charged_millipoints`. If it is less than `charge_millipoints`, it must
        be the exact remainder of one of them, or have used up the session's budget. A `counted` session takes one of
        its stream's `viewers_max` places until it ends. Raise `NoPlace` if none is free, `WalletRefused` otherwise.
        """

    def end(
        self,
        user_id: str,
        seen: ActiveSession,
        reason: EndReason,
        closing: Closing,
        now_ms: int,
        message: str | None = None,
    ) -> None:
        """Refund, remove the session and close its record, in one transaction guarded by the session as seen.

        `message` goes into the record.
        """

    def settle(self, seen: Wallet, record: SessionRecord, written: SettlementWrite) -> bool:
        """Settle an ended session once: write the wallet's entry, if anything is due, and the record's mark together.

        Return False without a change if the session is settled, or if its cost or adjustments have changed since
        `record` was read. Raise `WalletRefused` if the wallet does not fit: a charge needs `delta_millipoints` in the
        balance, a debt exactly that, a credit the day's credits as in `seen`.
        """

    def waive_debt(self, user_id: str) -> None:
        """Clear the debt of a wallet, which gets no further one. Does nothing without a wallet."""

    def pay(self, payment: Payment, adjusted: SessionRecord | None = None) -> bool:
        """Apply a payment once, in one transaction with the totals of its day.

        Return False if its id was applied before.

        With the record of an adjusted session, its adjustments together must give back at least 0 and at most its cost,
        else raise `BeyondCost`; a session that has not ended has no cost yet.
        """

    def reverse(self, payment: Payment) -> bool:
        """Take back a payment with its reversal set (`reversed_payment`), once, in one transaction with its totals.

        Return False if it was reversed before or is unknown. Raise `WalletRefused` unless the wallet holds what is
        taken, and nothing else where there is a shortfall.
        """

    def trim(self, user_id: str, entry_ids: Sequence[str]) -> None:
        """Remove entries from the journal that are in the ledger. Idempotent."""

    def with_full_pages(self, limit: int) -> Sequence[Wallet]:
        """Return up to `limit` wallets whose journals hold at least one page, for the scheduled catch-up."""


class Ledger(Protocol):
    """The append-only pages of all wallets."""

    def put_page(self, user_id: str, page: Page) -> None:
        """Write a page. Writing it twice writes the same row."""

    def pages(self, user_id: str, *, up_to_version: int, limit: int) -> Sequence[Page]:
        """Return up to `limit` pages by a consistent read, newest first, that begin at `up_to_version` or before."""

    def pages_from(self, user_id: str, *, from_version: int, limit: int) -> Sequence[Page]:
        """Return up to `limit` pages by a consistent read, oldest first, that begin at `from_version` or later."""


class Payments(Protocol):
    """The applied payments."""

    def get(self, payment_id: str) -> Payment | None:
        """Return a payment by a consistent read."""

    def newest_of_user(self, user_id: str, *, until_ms: int, limit: int) -> Sequence[Payment]:
        """Return the payments of a user up to a time, newest first."""


class PlaybackSessions(Protocol):
    """The records of sessions."""

    def get(self, session_id: str) -> SessionRecord | None:
        """Return a record by a consistent read."""

    def by_user(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        """Return all sessions of a user, newest first."""

    def newest_of_user(self, user_id: str, *, until_ms: int, limit: int) -> Sequence[SessionRecord]:
        """Return the sessions of a user that started up to a time, newest first."""

    def active(self, stream_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        """Return the active sessions of a stream, newest first."""

    def all_active(self, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        """Return the active sessions of all streams, shard by shard, for a program that reads them all."""

    def count_active(self) -> int:
        """Return how many sessions have not ended."""

    def due(self, shard: int, now_ms: int, limit: int) -> Sequence[SessionRecord]:
        """Return active sessions of a shard whose `due_ms` has passed, the longest due first."""

    def rearm(self, session_id: str, due_ms: int) -> None:
        """Set the session's `due_ms`. Does nothing if it has ended."""
