"""What the services need from outside. Adapters implement these; unit tests use the fakes in `tests/fakes`.

All times are the server's clock in milliseconds, all amounts integer millipoints. An adapter raises only what is named
here or in `domain/errors.py`, and `StoreUnavailable` when its store cannot answer within its time-outs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from chalicelib.domain.lease import Purchase, Settlement
from chalicelib.domain.sessions import ActiveSession, EndReason, SessionRecord
from chalicelib.domain.streams import Claim, Runtime, Stream
from chalicelib.domain.tokens import AccessClaims, PlayClaims, RefreshClaims
from chalicelib.domain.users import RefreshFamily, User
from chalicelib.domain.wallets import Page, Payment, Wallet

Item = TypeVar("Item")


class StoreUnavailable(Exception):
    """A store did not answer, or answered that it cannot now. Whether a write happened is unknown."""


class WalletRefused(Exception):
    """A wallet's condition did not hold. `wallet` is the item as it stood then, None where there is none or unknown."""

    def __init__(self, wallet: Wallet | None) -> None:
        super().__init__("the wallet's condition did not hold")
        self.wallet = wallet


class RowRefused(Exception):
    """A condition on another table's row did not hold: it changed meanwhile, or exists already."""


@dataclass(frozen=True)
class ListPage(Generic[Item]):
    """A part of a list; `next_cursor` is opaque, URL-safe, and None at the end."""

    items: Sequence[Item]
    next_cursor: str | None


class Clock(Protocol):
    """The server's clock, the only one that counts."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        ...


class Wallets(Protocol):
    """Wallet items. Every method that changes money is one conditional write or one transaction."""

    def create(self, user_id: str) -> None:
        """Make an empty wallet unless there is one."""
        ...

    def get(self, user_id: str) -> Wallet | None:
        """A consistent read."""
        ...

    def get_many(self, user_ids: Iterable[str]) -> Mapping[str, Wallet]:
        """At most 100 wallets; those that do not exist are left out."""
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


class Users(Protocol):
    """Accounts."""

    def add(self, user: User) -> None:
        """Raises `EmailTaken` if another account has the email."""
        ...

    def get(self, user_id: str) -> User | None:
        """A consistent read."""
        ...

    def by_email(self, email: str) -> User | None:
        """Emails are compared in lower case."""
        ...

    def list(self, *, limit: int, cursor: str | None) -> ListPage[User]:
        """All accounts, in no order."""
        ...

    def change(
        self, user_id: str, *, password_hash: str | None = None, role: str | None = None, disabled: bool | None = None
    ) -> User:
        """Set what is given; disabling drops all refresh families. Raises `UserNotFound`."""
        ...

    def add_family(self, user_id: str, family: RefreshFamily, families: Mapping[str, RefreshFamily]) -> None:
        """Record a login; `families` are those to keep beside it (the caller drops old ones)."""
        ...

    def rotate_family(self, user_id: str, seen: RefreshFamily, new: RefreshFamily) -> None:
        """Replace a family's token if it is still as seen, else raise `RowRefused`."""
        ...

    def drop_family(self, user_id: str, family_id: str) -> None:
        """Revoke a login. Idempotent."""
        ...


class Streams(Protocol):
    """Streams as operators set them up."""

    def add(self, stream: Stream) -> None:
        """Raises `StreamExists`."""
        ...

    def get(self, stream_id: str) -> Stream | None:
        """A consistent read; archived streams are answered too."""
        ...

    def list(self, *, limit: int, cursor: str | None) -> ListPage[Stream]:
        """All streams, archived ones too, in no order."""
        ...

    def replace(self, seen: Stream, new: Stream) -> None:
        """Write `new` (with version + 1) if the stored version is still that of `seen`, else raise `RowRefused`."""
        ...


class Runtimes(Protocol):
    """What workers report, and their claims."""

    def get(self, stream_id: str) -> Runtime | None:
        """A consistent read."""
        ...

    def claim(self, stream_id: str, worker_id: str, now_ms: int, expires_at_ms: int) -> Claim | None:
        """Take the stream, with the next epoch, if it is free, expired or this worker's own; None if another has it."""
        ...

    def renew(self, claim: Claim, expires_at_ms: int) -> Claim | None:
        """Extend one's claim; None if a higher epoch was claimed meanwhile."""
        ...

    def release(self, claim: Claim) -> None:
        """Let go at once, so that another worker may claim. Nothing happens if it was lost."""
        ...

    def report(self, claim: Claim, runtime: Runtime) -> bool:
        """Write a report if the claim's epoch still stands; the claim itself is not touched. False if it was lost."""
        ...

    def mark_unclaimed(self, seen: Runtime, state: str, error: str | None) -> None:
        """Set the state of a stream whose claim has expired, unless somebody claimed it meanwhile."""
        ...


@dataclass(frozen=True)
class StoredObject:
    """An object of the media bucket."""

    body: bytes
    etag: str


class EtagMismatch(Exception):
    """The object is not the one that the writer expected: somebody else wrote it."""


class MediaStore(Protocol):
    """The private bucket of segments and playlists."""

    def get(self, key: str) -> StoredObject | None:
        """The object, or None."""
        ...

    def put(
        self, key: str, body: bytes, content_type: str, *, if_match: str | None = None, if_absent: bool = False
    ) -> str:
        """Write the object and answer its new ETag; `EtagMismatch` if `if_match` or `if_absent` does not hold."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete up to 1000 objects; those that do not exist are no error."""
        ...

    def list(self, prefix: str, *, limit: int) -> Sequence[str]:
        """Up to `limit` keys under a prefix, in order."""
        ...

    def signed_query(self, key: str, expires_s: int) -> str:
        """The query string of a GET of that one object, signed with the method of S3's `s3v4`."""
        ...


@dataclass(frozen=True)
class Hint:
    """A message to the workers: look at this stream. The tables are the truth."""

    stream_id: str
    receipt: str = ""


class WorkQueue(Protocol):
    """Hints to workers."""

    def send(self, stream_id: str) -> None:
        """At least once, some time."""
        ...

    def receive(self, wait_s: int) -> Sequence[Hint]:
        """Long-poll for up to 10 hints; `wait_s` is 20 at most."""
        ...

    def done(self, hint: Hint) -> None:
        """The hint was handled."""
        ...


class Denylist(Protocol):
    """What a gateway must refuse at once, ahead of its cached verdicts. Entries outlive the longest token."""

    def deny_session(self, session_id: str, reason: EndReason) -> None:
        """From the return of this call on, the gateway serves nothing to this session."""
        ...

    def deny_stream(self, stream_id: str, reason: EndReason) -> None:
        """One entry for all viewers of a stream."""
        ...

    def allow_stream(self, stream_id: str) -> None:
        """The stream is live again."""
        ...

    def sweep(self, now_ms: int) -> int:
        """Drop session entries that have outlived every token; answers how many."""
        ...


class PasswordHasher(Protocol):
    """argon2id."""

    def hash(self, password: str) -> str:
        """A new hash with its own salt."""
        ...

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password fits; for None it takes as long and answers False."""
        ...


class Tokens(Protocol):
    """Signing and checking of the three kinds of token. Checks raise `Unauthenticated` or `TokenExpired`."""

    def sign_access(self, claims: AccessClaims) -> str:
        """An access token."""
        ...

    def sign_refresh(self, claims: RefreshClaims) -> str:
        """A refresh token."""
        ...

    def sign_play(self, claims: PlayClaims) -> str:
        """A play token."""
        ...

    def access(self, token: str, now_ms: int) -> AccessClaims:
        """Check an access token."""
        ...

    def refresh(self, token: str, now_ms: int) -> RefreshClaims:
        """Check a refresh token."""
        ...

    def play(self, token: str) -> PlayClaims:
        """Check a play token's signature and kind, not its expiry: a session's end reason goes before that."""
        ...


class Counters(Protocol):
    """Minute counters, folded in the process and flushed now and then, never once a beat."""

    def add(self, name: str, amount: int = 1) -> None:
        """Count; names are `login_failures`, `playback_errors`, `spent_millipoints`, `problem.<status>.<code>`."""
        ...

    def flush_if_due(self) -> None:
        """Write what has gathered if it is time. Never fails: what could not be written is kept for the next time."""
        ...

    def minutes(self, from_minute: int, to_minute: int) -> Mapping[int, Mapping[str, int]]:
        """The flushed counters of each minute (epoch minutes, both ends included, 60 at most)."""
        ...
