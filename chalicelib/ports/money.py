"""Where money lies: wallets, ledger, payments, and the records of sessions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import Purchase, Settlement
from chalicelib.domain.money.sessions import ActiveSession, SessionRecord
from chalicelib.domain.money.wallets import Page, Payment, Wallet
from chalicelib.domain.streams.outages import OutageCredit
from chalicelib.ports.common import ListPage


class WalletRefused(Exception):
    """A wallet's condition did not hold. `wallet` is the item as it stood then, None where there is none or unknown."""

    def __init__(self, wallet: Wallet | None) -> None:
        super().__init__("the wallet's condition did not hold")
        self.wallet = wallet


class NoPlace(WalletRefused):
    """The stream has as many viewers as it may have."""


class BeyondCost(WalletRefused):
    """What adjustments give back for a session would not stay between 0 and what it has cost."""


@dataclass(frozen=True, kw_only=True)
class OnTimeBeat:
    """All that the common heartbeat needs to be known beforehand.

    `outage_ms` names the newest outage of the stream, 0 if there was none: the session must have been credited for it.
    """

    session_id: str
    stream_id: str
    seq: int
    now_ms: int
    outage_ms: int


class Wallets(Protocol):
    """Wallet items. Every method that changes money is one conditional write or one transaction."""

    def create(self, user_id: str) -> None:
        """Make an empty wallet unless there is one."""
        ...

    def get(self, user_id: str) -> Wallet | None:
        """A consistent read."""
        ...

    def get_many(self, user_ids: Iterable[str]) -> Mapping[str, Wallet]:
        """The wallets of these users; those that do not exist, or were not answered in time, are left out."""
        ...

    def buy_on_time(self, user_id: str, beat: OnTimeBeat) -> Wallet:
        """The common heartbeat: one write, without a read before it.

        Sells one lease if the session is there, `seq` is new, `now_ms` lies in the session's window and in the wallet's
        day, no outage is unsettled, balance, day and budget reach, and the journal is below its cap. Answers with the
        new wallet, else raises `WalletRefused`.
        """
        ...

    def buy(
        self, user_id: str, seen: ActiveSession, seq: int, purchase: Purchase, now_ms: int, outage_ms: int
    ) -> Wallet:
        """Any other purchase, guarded by the session as seen; the charge must still be covered.

        A `poor` purchase takes the exact rest, so there the balance (or day, or budget) must still be that rest. What
        was owed for outages up to `outage_ms` counts as settled.
        """
        ...

    def credit_outage(self, user_id: str, seen: ActiveSession, credit: OutageCredit, now_ms: int) -> Wallet:
        """Give back what an outage took from a session, guarded by the session as seen."""
        ...

    def begin_day(self, user_id: str, day: int) -> None:
        """Let the daily cap count anew; nothing happens if that day has begun in the wallet already."""
        ...

    def set_daily_cap(self, seen: Wallet, cap_millipoints: int) -> bool:
        """Set the cap; what was spent today stays spent. False if the cap has changed since it was seen."""
        ...

    def start(
        self, user_id: str, session: ActiveSession, record: SessionRecord, sessions_max: int, viewers_max: int
    ) -> None:
        """Add the session with its first lease and put its record, in one transaction.

        The session's `charged_millipoints` is taken from the balance, which must cover it, as the daily cap must; where
        it is less than the session's `charge_millipoints`, it must be all that one of the two leaves, or have used up
        the session's budget. A session that is `counted` takes one of `viewers_max` places of its stream
        until it ends; raises `NoPlace` if none is left, `WalletRefused` for everything else.
        """
        ...

    def end(self, user_id: str, seen: ActiveSession, reason: EndReason, settlement: Settlement, now_ms: int) -> None:
        """Refund, take the session out and close its record, in one transaction guarded by what was seen."""
        ...

    def pay(self, payment: Payment, adjusted: SessionRecord | None = None) -> bool:
        """Apply a payment once, in one transaction. False if its id was applied before (whatever for).

        With the record of the session that it adjusts, all adjustments together must give back at least 0 and at most
        what the session has cost, else `BeyondCost`; a session that has not ended has no cost yet.
        """
        ...

    def trim(self, user_id: str, entry_ids: Sequence[str]) -> None:
        """Take entries out of the journal that are in the ledger. Idempotent."""
        ...

    def with_full_pages(self, limit: int) -> Sequence[Wallet]:
        """Up to `limit` wallets whose journals hold at least a page, for the scheduled catch-up."""
        ...


class Ledger(Protocol):
    """The append-only pages of all wallets' changes."""

    def put_page(self, user_id: str, page: Page) -> None:
        """Write a page; writing it again writes the same row."""
        ...

    def pages(self, user_id: str, *, up_to_version: int, limit: int) -> Sequence[Page]:
        """Consistent read of up to `limit` pages, newest first, whose first version is `up_to_version` or lower."""
        ...

    def pages_from(self, user_id: str, *, from_version: int, limit: int) -> Sequence[Page]:
        """Consistent read of up to `limit` pages, oldest first, whose first version is `from_version` or higher."""
        ...


class Payments(Protocol):
    """Payments as they were applied."""

    def get(self, payment_id: str) -> Payment | None:
        """A consistent read."""
        ...


class PlaybackSessions(Protocol):
    """The records of sessions, for people and for the reaper."""

    def get(self, session_id: str) -> SessionRecord | None:
        """A consistent read."""
        ...

    def by_user(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        """All sessions of a user, newest first."""
        ...

    def by_stream(self, stream_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        """All sessions of a stream, newest first."""
        ...

    def active(self, stream_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        """The active sessions of a stream, newest first."""
        ...

    def all_active(self, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        """The active sessions of all streams, shard by shard."""
        ...

    def count_active(self) -> int:
        """How many sessions have not ended."""
        ...

    def due(self, shard: int, now_ms: int, limit: int) -> Sequence[SessionRecord]:
        """Active sessions of a shard whose `due_ms` has passed, the longest due first."""
        ...

    def rearm(self, session_id: str, due_ms: int) -> None:
        """Look at the session again at `due_ms`; nothing happens if it has ended."""
        ...
