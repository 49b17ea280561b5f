"""The rules of billing, written a second time from docs/billing.md, applied to a ledger.

Each line has the time of the function that wrote it. From it follow the price of the line and the paid time of its
session. Every difference to the ledger is an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import Entry
from tests.faults.harness.environment import NO_CAP, Outage, StreamTerms
from tests.faults.oracle.daily_caps import Days
from tests.faults.oracle.outage_credits import outage_credit
from tests.faults.oracle.settling import (
    GRACE_MS,
    Debts,
    SettlingTerms,
    ends,
    marks_without_a_line,
    outage_at_the_end,
    paid_debt,
    settled,
    unpaid_debt,
)

LATE_MS_MAX = 600_000
HORIZON_MS_MAX = 5_000
BUDGET_MAX = 10**12

# From and until, in milliseconds.
Interval = tuple[int, int]


@dataclass
class SessionAccount:
    """A session as it follows from its lines. `paid_until` has the end of the paid time after each seq.

    `free` has the possible free intervals: several where the ledger does not show whether an outage was over for the
    function that credited it. `charged_time` has the sold intervals without the refunded rest of a lease.
    """

    session_id: str
    terms: StreamTerms
    started_ms: int
    seq: int = 0
    paid_from_ms: int = 0
    paid_until_ms: int = 0
    charged: int = 0
    credited: int = 0
    unserved: int = 0
    granted_ms: int = 0
    free: set[Interval] = field(default_factory=lambda: {(0, 0)})
    ended_version: int | None = None
    ended_ms: int | None = None
    refunded: int = 0
    settled_version: int | None = None
    settled: int = 0
    adjustments: int = 0
    adjusted: int = 0
    adjusted_ever: set[int] = field(default_factory=lambda: {0})
    looked_ms: int = 0
    paid_until: dict[int, int] = field(default_factory=dict)
    charged_time: list[Interval] = field(default_factory=list)
    outages: list[int] = field(default_factory=list)

    @property
    def horizon_ms(self) -> int:
        return min(self.terms.lease_ms // 2, HORIZON_MS_MAX)

    @property
    def budget(self) -> int:
        """Return the rest of the session's maximum."""
        most = BUDGET_MAX if self.terms.max_points is None else self.terms.max_points * 1000
        return most - self.charged

    @property
    def cost(self) -> int:
        """Return the cost before adjustments."""
        return self.charged - self.refunded - self.settled

    @property
    def adjustable(self) -> int:
        """Return what could be given back at every time, before and after the settlement."""
        return self.cost + min(0, self.settled) - max(self.adjusted_ever)

    def worth(self, ms: int) -> int:
        """Return the refund of so much time: rounded down, and never more than was charged."""
        return min(self.charged, self.terms.rate * max(0, ms) // 60_000)


@dataclass
class ReplayedLedger:
    """The state that follows from a ledger, and the errors in it."""

    days: Days
    outages: Mapping[str, Sequence[Outage]]
    answered: Mapping[tuple[str, int], int]
    records: Mapping[str, SessionRecord] = field(default_factory=dict)
    settling: SettlingTerms = field(default_factory=SettlingTerms)
    debts: Debts = field(default_factory=Debts)
    balance: int = 0
    accounts: dict[str, SessionAccount] = field(default_factory=dict)
    balance_after: dict[int, int] = field(default_factory=dict)
    debts_after: dict[int, set[int]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def replay(
    entries: Sequence[Entry],
    records: Mapping[str, SessionRecord],
    terms: Mapping[str, StreamTerms],
    outages: Mapping[str, Sequence[Outage]],
    cap: int = NO_CAP,
    answered: Mapping[tuple[str, int], int] | None = None,
    settling: SettlingTerms | None = None,
) -> ReplayedLedger:
    """Replay a ledger, oldest line first. `answered` has the answered end of the paid time by session and seq."""
    done = ReplayedLedger(days=Days(cap), outages=outages, answered=answered or {}, records=records)
    done.settling = settling or SettlingTerms()
    for entry, following in zip_longest(entries, entries[1:]):
        if entry.kind.value == "debt_payment":
            done.errors += [
                f"{entry.entry_id} (version {entry.version}): {w}" for w in paid_debt(done, entry, following)
            ]
        if entry.session_id is not None:
            record = records.get(entry.session_id)
            if record is None:
                done.errors.append(f"{entry.entry_id}: a session without a record")
            else:
                account = done.accounts.setdefault(
                    entry.session_id, SessionAccount(entry.session_id, terms[record.stream_id], started_ms=entry.at_ms)
                )
                done.errors += [
                    f"{entry.entry_id} (version {entry.version}): {what}" for what in _line(done, account, entry)
                ]
        done.balance += entry.delta_millipoints
        done.balance_after[entry.version] = done.balance
        done.debts_after[entry.version] = set(done.debts.possible)
    for session_id, account in done.accounts.items():
        record = records[session_id]
        ended = outage_at_the_end(record, account, tuple(outages.get(record.stream_id, ()))) if account.ended_ms else ()
        done.errors += [f"{session_id} {what}" for what in ended]
        if record.settled_at_ms is not None and account.settled_version is None:
            done.errors += [f"{session_id} {what}" for what in marks_without_a_line(done, account, record)]
    return done


def _line(done: ReplayedLedger, account: SessionAccount, entry: Entry) -> list[str]:
    errors = []
    if entry.stream_id != account.terms.stream_id:
        errors.append(f"names {entry.stream_id}, but the session is of {account.terms.stream_id}")
    kind = entry.kind.value
    if kind not in LINES:
        return [*errors, f"a {kind} has no session"]
    if account.ended_version is not None and kind not in AFTER_THE_END:
        return [*errors, f"after the end at version {account.ended_version}"]
    return errors + LINES[kind](done, account, entry)


def _lease(done: ReplayedLedger, account: SessionAccount, entry: Entry) -> list[str]:
    errors = _moment(account, entry) + (unpaid_debt(done, account) if entry.seq == 1 else [])
    cost, full = -entry.delta_millipoints, -(-account.terms.rate * account.terms.lease_ms // 60_000)
    due = min(full, done.balance, account.budget)
    if not done.days.sold(entry.at_ms, cost, lambda left: cost == max(0, min(due, left))):
        left = sorted(day.left + cost for day in done.days.possible)
        errors.append(f"cost {cost}, but {due} was due (balance {done.balance}, of the day {left})")
    if cost == 0 < full:
        errors.append("sold without money")
    granted_ms = account.terms.lease_ms
    if cost < full:
        granted_ms = min(granted_ms, max(1, cost * 60_000 // account.terms.rate))
    if account.seq == 0 or _gap(done, account, entry, granted_ms):
        account.paid_from_ms = account.paid_until_ms = entry.at_ms
    account.charged_time.append((account.paid_until_ms, account.paid_until_ms + granted_ms))
    account.paid_until_ms += granted_ms
    account.charged += cost
    return errors + _advance(account, entry, granted_ms)


def _gap(done: ReplayedLedger, account: SessionAccount, entry: Entry, granted_ms: int) -> bool:
    """Return whether a late lease starts now: after the grace, or if the stream was down after the end of the last one.

    A function may miss an outage that was over within the time of its cache. Then its answer decides.
    """
    until_ms = account.paid_until_ms
    if entry.at_ms > until_ms + GRACE_MS:
        return True
    outages = [each for each in done.outages.get(account.terms.stream_id, ()) if each.until_ms is not None]
    across = [each for each in outages if until_ms < (each.until_ms or 0) <= entry.at_ms]
    if not across:
        return False
    answered_ms = done.answered.get((account.session_id, entry.seq or 0))
    return answered_ms is None or answered_ms == entry.at_ms + granted_ms


def _unserved(done: ReplayedLedger, account: SessionAccount, entry: Entry) -> list[str]:
    errors = _moment(account, entry)
    if entry.delta_millipoints:
        errors.append(f"free time cost {-entry.delta_millipoints}")
    if entry.at_ms > account.paid_until_ms + GRACE_MS:
        account.paid_from_ms = entry.at_ms
    account.unserved += 1
    start_ms = max(entry.at_ms, account.paid_until_ms)
    account.paid_until_ms = start_ms + account.terms.lease_ms
    account.free = {
        (from_ms if until_ms >= entry.at_ms else start_ms, account.paid_until_ms) for from_ms, until_ms in account.free
    }
    return errors + _advance(account, entry, account.terms.lease_ms)


def _moment(account: SessionAccount, entry: Entry) -> list[str]:
    """Check the seq and the time of a lease."""
    assert entry.seq is not None
    if account.seq == 0:
        return [] if entry.seq == 1 else [f"the first line has seq {entry.seq}"]
    errors = []
    if entry.seq <= account.seq:
        errors.append(f"seq {entry.seq} after {account.seq}")
    if entry.at_ms < account.paid_until_ms - account.horizon_ms:
        errors.append(f"sold {account.paid_until_ms - entry.at_ms} ms before the end of the paid time")
    if entry.at_ms > account.paid_until_ms + LATE_MS_MAX:
        errors.append(f"sold {entry.at_ms - account.paid_until_ms} ms after the end of the paid time")
    return errors


def _advance(account: SessionAccount, entry: Entry, granted_ms: int) -> list[str]:
    assert entry.seq is not None
    account.seq = entry.seq
    account.granted_ms += granted_ms
    account.paid_until[entry.seq] = account.paid_until_ms
    account.looked_ms = entry.at_ms
    return []


def _refund(done: ReplayedLedger, account: SessionAccount, entry: Entry) -> list[str]:
    record = done.records[account.session_id]
    possible = ends(account, record, done.settling, entry.at_ms)
    done.days.given_back(entry.at_ms, entry.delta_millipoints)
    account.ended_version, account.ended_ms, account.looked_ms = entry.version, entry.at_ms, entry.at_ms
    account.refunded = entry.delta_millipoints
    found = (entry.delta_millipoints, record.reserved_millipoints)
    if found not in possible:
        unserved_ms = max(0, account.paid_until_ms - entry.at_ms)
        return [f"gave back and reserved {found}, but {sorted(possible)} was unserved ({unserved_ms} ms)"]
    return []


def _settled(done: ReplayedLedger, account: SessionAccount, entry: Entry) -> list[str]:
    if account.terms.rate == 0:
        return ["a free session was settled"]
    return settled(done, account, entry, done.records[account.session_id])


def _adjustment(done: ReplayedLedger, account: SessionAccount, entry: Entry) -> list[str]:
    """Check an adjustment: it comes after the end, and all of them are between 0 and the cost."""
    account.adjustments += 1
    account.adjusted += entry.delta_millipoints
    account.adjusted_ever.add(account.adjusted)
    if account.ended_version is None:
        return ["an adjustment before the end"]
    if not 0 <= account.adjusted <= account.cost:
        return [f"adjustments have given back {account.adjusted} of {account.cost}"]
    return []


# The checks of lines of sessions, by kind.
LINES = {
    "lease": _lease,
    "unserved": _unserved,
    "outage_credit": outage_credit,
    "refund": _refund,
    "adjustment": _adjustment,
    "served_ahead": _settled,
    "unserved_credit": _settled,
}
AFTER_THE_END = ("adjustment", "served_ahead", "unserved_credit")
