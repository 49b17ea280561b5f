"""The wallet, its journal, and the pages that the journal is moved to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.domain.sessions import ActiveSession

# Six consecutive versions make a page: its content is then fixed, whoever writes it.
PAGE_ENTRIES = 6
# A beat at the cap moves full pages first, so that the item cannot outgrow its bound (about 3 KB of journal).
JOURNAL_ENTRIES_MAX = 24


class EntryKind(StrEnum):
    """What changed the wallet."""

    LEASE = "lease"
    UNSERVED = "unserved"
    REFUND = "refund"
    CREDIT = "credit"
    ADJUSTMENT = "adjustment"
    OUTAGE_CREDIT = "outage_credit"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One change of a wallet. `entry_id` is known beforehand and never recurs; `version` is given by the store."""

    entry_id: str
    kind: EntryKind
    at_ms: int
    version: int = 0
    delta_millipoints: int = 0
    session_id: str | None = None
    seq: int | None = None
    payment_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Wallet:
    """The one item that billing writes: balance, version, active sessions and the journal not yet moved away."""

    user_id: str
    balance_millipoints: int = 0
    version: int = 0
    sessions: Mapping[str, ActiveSession] = field(default_factory=dict)
    journal: tuple[Entry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Page:
    """Six consecutive changes of one wallet, in order of version."""

    first_version: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A top-up (positive) or an adjustment downwards (negative), applied exactly once by its id.

    One that names a session is an adjustment of what that session cost, in either direction.
    """

    payment_id: str
    user_id: str
    millipoints: int
    note: str
    by_user_id: str
    at_ms: int
    session_id: str | None = None
    stream_id: str | None = None

    @property
    def kind(self) -> EntryKind:
        """What the ledger calls it."""
        top_up = self.millipoints > 0 and self.session_id is None
        return EntryKind.CREDIT if top_up else EntryKind.ADJUSTMENT


def lease_entry_id(session_id: str, seq: int) -> str:
    """The journal key of one lease."""
    return f"{session_id}.{seq}"


def end_entry_id(session_id: str) -> str:
    """The journal key of a session's end."""
    return f"{session_id}.end"


def payment_entry_id(payment_id: str) -> str:
    """The journal key of a payment."""
    return f"p.{payment_id}"


def full_pages(journal: Iterable[Entry]) -> list[Page]:
    """The complete pages in a journal, oldest first; entries of an incomplete page stay where they are."""
    by_first: dict[int, list[Entry]] = {}
    for entry in journal:
        by_first.setdefault((entry.version - 1) // PAGE_ENTRIES * PAGE_ENTRIES + 1, []).append(entry)
    return [
        Page(first_version=first, entries=tuple(sorted(entries, key=lambda entry: entry.version)))
        for first, entries in sorted(by_first.items())
        if len(entries) == PAGE_ENTRIES
    ]
