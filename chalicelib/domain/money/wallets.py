"""The wallet, its journal, and the pages that the journal is moved to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.domain.money.sessions import ActiveSession

# Six consecutive versions make a page: its content is then fixed, whoever writes it.
PAGE_ENTRIES = 6
# A beat at the cap moves full pages first, so that the item cannot outgrow its bound (about 3 KB of journal).
JOURNAL_ENTRIES_MAX = 24
MS_PER_DAY = 86_400_000
# What a wallet without a daily cap may spend in a day: more than any wallet can hold.
NO_DAILY_CAP = 10**15


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
    stream_id: str | None = None
    seq: int | None = None
    payment_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Wallet:
    """The one item that billing writes: balance, version, active sessions and the journal not yet moved away.

    `daily_left_millipoints` is what may still be spent on `day` (days since 1970, UTC); below 0 where the cap was
    lowered under what had been spent.
    """

    user_id: str
    balance_millipoints: int = 0
    version: int = 0
    day: int = 0
    daily_cap_millipoints: int = NO_DAILY_CAP
    daily_left_millipoints: int = NO_DAILY_CAP
    sessions: Mapping[str, ActiveSession] = field(default_factory=dict)
    journal: tuple[Entry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Page:
    """Six consecutive changes of one wallet, in order of version, chained to the page before (`chain.py`).

    `previous_hash` stands before the first entry; `hash` and `balance_millipoints` stand after the last.
    """

    first_version: int
    entries: tuple[Entry, ...]
    previous_hash: str
    hash: str
    balance_millipoints: int


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


def lease_entry(session_id: str, stream_id: str, seq: int, at_ms: int, kind: EntryKind = EntryKind.LEASE) -> Entry:
    """One lease, bought or (`UNSERVED`) granted."""
    return Entry(
        entry_id=lease_entry_id(session_id, seq),
        kind=kind,
        at_ms=at_ms,
        session_id=session_id,
        stream_id=stream_id,
        seq=seq,
    )


def end_entry(session: ActiveSession, at_ms: int) -> Entry:
    """The end of a session, with what it gives back."""
    return Entry(
        entry_id=end_entry_id(session.session_id),
        kind=EntryKind.REFUND,
        at_ms=at_ms,
        session_id=session.session_id,
        stream_id=session.stream_id,
    )


def outage_entry(session: ActiveSession, outage_ms: int, at_ms: int) -> Entry:
    """What an outage, named by its beginning, gives back to a session: one line for stream, outage and session.

    The seq makes sure that no key ever recurs, also if clocks disagree on whether the outage was over.
    """
    return Entry(
        entry_id=f"o.{session.stream_id}.{outage_ms}.{session.seq}.{session.session_id}",
        kind=EntryKind.OUTAGE_CREDIT,
        at_ms=at_ms,
        session_id=session.session_id,
        stream_id=session.stream_id,
    )


def payment_entry(payment: Payment) -> Entry:
    """A payment."""
    return Entry(
        entry_id=f"p.{payment.payment_id}",
        kind=payment.kind,
        at_ms=payment.at_ms,
        session_id=payment.session_id,
        stream_id=payment.stream_id,
        payment_id=payment.payment_id,
        note=payment.note or None,
    )


def utc_day(now_ms: int) -> int:
    """Days since 1970, UTC: what a daily cap counts by."""
    return now_ms // MS_PER_DAY


def daily_left_millipoints(wallet: Wallet, now_ms: int) -> int:
    """What the daily cap leaves now; a day that has not begun in the wallet yet begins with all of it."""
    return wallet.daily_cap_millipoints if utc_day(now_ms) > wallet.day else wallet.daily_left_millipoints


def spent_today_millipoints(wallet: Wallet, now_ms: int) -> int:
    """What leases have cost today, less what was given back today (for yesterday's leases too, but never below 0)."""
    return max(0, wallet.daily_cap_millipoints - daily_left_millipoints(wallet, now_ms))


def full_pages(journal: Iterable[Entry]) -> list[tuple[Entry, ...]]:
    """The entries of each complete page in a journal, oldest first; those of an incomplete one stay where they are."""
    by_first: dict[int, list[Entry]] = {}
    for entry in journal:
        by_first.setdefault((entry.version - 1) // PAGE_ENTRIES * PAGE_ENTRIES + 1, []).append(entry)
    return [
        tuple(sorted(entries, key=lambda entry: entry.version))
        for _, entries in sorted(by_first.items())
        if len(entries) == PAGE_ENTRIES
    ]
