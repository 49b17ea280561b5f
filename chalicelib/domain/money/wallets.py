"""The wallet, its journal, and the ledger pages that the journal moves to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from chalicelib.domain.money.sessions import ActiveSession

# Six consecutive versions make a page. Its content is fixed, so writing it twice is safe.
PAGE_ENTRIES = 6
# At this length, full pages move before anything is sold, so the item stays bounded (about 3 KB of journal).
JOURNAL_ENTRIES_MAX = 24
MS_PER_DAY = 86_400_000
# The daily cap of a wallet without one: more than any wallet can hold.
NO_DAILY_CAP = 10**15
OPERATOR_SOURCE = "operator"
# The id of a reversal's entry is this and the id of its payment, whose form has no dot.
REVERSAL_PREFIX = "r."


class EntryKind(StrEnum):
    """The cause of a wallet's change."""

    LEASE = "lease"
    UNSERVED = "unserved"
    REFUND = "refund"
    CREDIT = "credit"
    ADJUSTMENT = "adjustment"
    OUTAGE_CREDIT = "outage_credit"
    REVERSAL = "reversal"
    # The settlement of an ended session (`settlement.py`).
    SERVED_AHEAD = "served_ahead"
    UNSERVED_CREDIT = "unserved_credit"
    DEBT_PAYMENT = "debt_payment"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One change of a wallet. `entry_id` is known before the write and unique; the store assigns `version`."""

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
    """The item that billing writes: balance, version, active sessions, and the journal that has not moved yet.

    `daily_left_millipoints` is what may still be spent on `day` (days since 1970, UTC). It is negative if the cap was
    lowered below what was spent. `debt_millipoints` is what settlements could not take from the balance. It is no part
    of balance and ledger, and the next start pays it; `debt_waived` says that there will be none. Settlements credited
    `credited_millipoints` on `credit_day`.
    """

    user_id: str
    balance_millipoints: int = 0
    version: int = 0
    day: int = 0
    daily_cap_millipoints: int = NO_DAILY_CAP
    daily_left_millipoints: int = NO_DAILY_CAP
    sessions: Mapping[str, ActiveSession] = field(default_factory=dict)
    journal: tuple[Entry, ...] = ()
    debt_millipoints: int = 0
    debt_waived: bool = False
    credit_day: int = 0
    credited_millipoints: int = 0


@dataclass(frozen=True, kw_only=True)
class Page:
    """Six consecutive changes of a wallet in order of version, chained to the page before (`chain.py`).

    `previous_hash` is before the first entry; `hash` and `balance_millipoints` are after the last.
    """

    first_version: int
    entries: tuple[Entry, ...]
    previous_hash: str
    hash: str
    balance_millipoints: int


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A top-up (positive) or a downward adjustment (negative), applied exactly once by its id.

    With a session it is an adjustment of that session's cost, in either direction.
    """

    payment_id: str
    user_id: str
    millipoints: int
    note: str
    by_user_id: str
    at_ms: int
    session_id: str | None = None
    stream_id: str | None = None
    # The program or person that it came from, for people. Payments from before this field have the default.
    source: str = OPERATOR_SOURCE
    # All five are set when it is reversed. The shortfall is what the wallet no longer held; it is no debt.
    reversed_at_ms: int | None = None
    reversed_by_user_id: str | None = None
    reversed_millipoints: int | None = None
    shortfall_millipoints: int | None = None
    reversal_note: str | None = None

    @property
    def kind(self) -> EntryKind:
        """The kind of its ledger entry."""
        top_up = self.millipoints > 0 and self.session_id is None
        return EntryKind.CREDIT if top_up else EntryKind.ADJUSTMENT


def lease_entry_id(session_id: str, seq: int) -> str:
    """Return the journal key of a lease."""
    return f"{session_id}.{seq}"


def end_entry_id(session_id: str) -> str:
    """Return the journal key of a session's end."""
    return f"{session_id}.end"


def lease_entry(session_id: str, stream_id: str, seq: int, at_ms: int, kind: EntryKind = EntryKind.LEASE) -> Entry:
    """Return the entry of a lease, bought or (`UNSERVED`) granted."""
    return Entry(
        entry_id=lease_entry_id(session_id, seq),
        kind=kind,
        at_ms=at_ms,
        session_id=session_id,
        stream_id=stream_id,
        seq=seq,
    )


def end_entry(session: ActiveSession, at_ms: int) -> Entry:
    """Return the entry of a session's end, with its refund."""
    return Entry(
        entry_id=end_entry_id(session.session_id),
        kind=EntryKind.REFUND,
        at_ms=at_ms,
        session_id=session.session_id,
        stream_id=session.stream_id,
    )


def settled_entry_id(session_id: str) -> str:
    """Return the journal key of a session's settlement."""
    return f"{session_id}.settled"


def debt_entry(session_id: str, at_ms: int) -> Entry:
    """Return the entry of a debt that the start of this session pays. It is no part of the session's cost."""
    return Entry(entry_id=f"d.{session_id}", kind=EntryKind.DEBT_PAYMENT, at_ms=at_ms)


def outage_entry(session: ActiveSession, outage_ms: int, at_ms: int) -> Entry:
    """Return the entry of an outage credit: one for each stream, outage and session.

    The seq keeps the key unique even if clocks disagree on whether the outage was over.
    """
    return Entry(
        entry_id=f"o.{session.stream_id}.{outage_ms}.{session.seq}.{session.session_id}",
        kind=EntryKind.OUTAGE_CREDIT,
        at_ms=at_ms,
        session_id=session.session_id,
        stream_id=session.stream_id,
    )


def payment_entry(payment: Payment) -> Entry:
    """Return the entry of a payment."""
    return Entry(
        entry_id=f"p.{payment.payment_id}",
        kind=payment.kind,
        at_ms=payment.at_ms,
        session_id=payment.session_id,
        stream_id=payment.stream_id,
        payment_id=payment.payment_id,
        note=payment.note or None,
    )


def reversal_entry(payment: Payment) -> Entry:
    """Return the entry of a payment's reversal."""
    assert payment.reversed_at_ms is not None
    return Entry(
        entry_id=f"{REVERSAL_PREFIX}{payment.payment_id}",
        kind=EntryKind.REVERSAL,
        at_ms=payment.reversed_at_ms,
        payment_id=payment.payment_id,
        note=payment.reversal_note or None,
    )


def reversed_payment(payment: Payment, balance_millipoints: int, at_ms: int, by_user_id: str, note: str) -> Payment:
    """Return a payment as its reversal leaves it: the wallet gives back at most what it holds."""
    taken = min(payment.millipoints, balance_millipoints)
    return replace(
        payment,
        reversed_at_ms=at_ms,
        reversed_by_user_id=by_user_id,
        reversed_millipoints=taken,
        shortfall_millipoints=payment.millipoints - taken,
        reversal_note=note,
    )


def utc_day(now_ms: int) -> int:
    """Return the days since 1970 (UTC), by which daily caps count."""
    return now_ms // MS_PER_DAY


def daily_left_millipoints(wallet: Wallet, now_ms: int) -> int:
    """Return what the daily cap leaves now. A new day begins with the full cap."""
    return wallet.daily_cap_millipoints if utc_day(now_ms) > wallet.day else wallet.daily_left_millipoints


def credited_today_millipoints(wallet: Wallet, now_ms: int) -> int:
    """Return what settlements credited today."""
    return wallet.credited_millipoints if wallet.credit_day == utc_day(now_ms) else 0


def spent_today_millipoints(wallet: Wallet, now_ms: int) -> int:
    """Return what leases cost today minus what was refunded today, at least 0.

    Refunds of yesterday's leases count too.
    """
    return max(0, wallet.daily_cap_millipoints - daily_left_millipoints(wallet, now_ms))


def full_pages(journal: Iterable[Entry]) -> list[tuple[Entry, ...]]:
    """Return the entries of each complete page in a journal, oldest first."""
    by_first: dict[int, list[Entry]] = {}
    for entry in journal:
        by_first.setdefault((entry.version - 1) // PAGE_ENTRIES * PAGE_ENTRIES + 1, []).append(entry)
    return [
        tuple(sorted(entries, key=lambda entry: entry.version))
        for _, entries in sorted(by_first.items())
        if len(entries) == PAGE_ENTRIES
    ]
