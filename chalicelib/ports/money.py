"""Where money lies: wallets, ledger, payments, and the records of sessions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from chalicelib.domain.lease import Purchase, Settlement
from chalicelib.domain.sessions import ActiveSession, EndReason, SessionRecord
from chalicelib.domain.wallets import Page, Payment, Wallet
from chalicelib.ports.common import ListPage


class WalletRefused(Exception):
    """A wallet's condition did not hold. `wallet` is the item as it stood then, None where there is none or unknown."""

    def __init__(self, wallet: Wallet | None) -> None:
        super().__init__("the wallet's condition did not hold")
        self.wallet = wallet


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

    def buy_on_time(self, user_id: str, session_id: str, seq: int, now_ms: int) -> Wallet:
        """The common heartbeat: one write that needs nothing known beforehand.

        Sells one lease if the session is there, `seq` is new, `now_ms` lies in the session's window, balance and budget
        reach, and the journal is below its cap. Answers with the new wallet, else raises `WalletRefused`.
        """
        ...

    def buy(self, user_id: str, seen: ActiveSession, seq: int, purchase: Purchase, now_ms: int) -> Wallet:
        """Any other purchase, guarded by the session's seq and paid_until as seen; the charge must still be covered.

        A `poor` purchase takes the exact rest, so there the balance (or budget) must still be that rest.
        """
        ...

    def start(self, user_id: str, session: ActiveSession, record: SessionRecord, sessions_max: int) -> None:
        """Add the session with its first lease and put its record, in one transaction.

        The session's `charged_millipoints` is taken from the balance, which must cover it; where that is less than the
        session's `charge_millipoints`, it must be the whole balance, or have used up the session's budget.
        """
        ...

    def end(self, user_id: str, seen: ActiveSession, reason: EndReason, settlement: Settlement, now_ms: int) -> None:
        """Refund, take the session out and close its record, in one transaction guarded by what was seen."""
        ...

    def pay(self, payment: Payment) -> bool:
        """Apply a payment once, in one transaction. False if its id was applied before (whatever for)."""
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
