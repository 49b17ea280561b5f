"""The rules of selling, written a second time from docs/billing.md and run over a ledger.

A ledger says at which moment (by the clock of the function that did it) what was sold. That is enough to say what each
line must have cost and how long each session was paid for; what differs from the ledger is an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.domain.sessions import SessionRecord
from chalicelib.domain.wallets import Entry
from tests.faults.harness.environment import NO_CAP, Down, Terms
from tests.faults.oracle.daily_caps import Days

GRACE_MS = 5_000
LATE_MS_MAX = 600_000
HORIZON_MS_MAX = 5_000
BUDGET_MAX = 10**12

# From and until, in ms.
Stretch = tuple[int, int]


@dataclass
class Account:
    """One session as its lines tell it. `paid_until` has the end of the paid time after each seq.

    `free` has the stretches that may be free now: more than one where a ledger cannot tell whether an outage was over
    for the function that credited it. `charged_time` is all time that was sold, less what was given back with the rest
    of a lease.
    """

    session_id: str
    terms: Terms
    started_ms: int
    seq: int = 0
    paid_from_ms: int = 0
    paid_until_ms: int = 0
    charged: int = 0
    credited: int = 0
    granted_ms: int = 0
    free: set[Stretch] = field(default_factory=lambda: {(0, 0)})
    ended_version: int | None = None
    ended_ms: int | None = None
    refunded: int = 0
    adjustments: int = 0
    adjusted: int = 0
    adjusted_most: int = 0
    looked_ms: int = 0
    paid_until: dict[int, int] = field(default_factory=dict)
    charged_time: list[Stretch] = field(default_factory=list)
    outages: list[int] = field(default_factory=list)

    @property
    def horizon_ms(self) -> int:
        return min(self.terms.lease_ms // 2, HORIZON_MS_MAX)

    @property
    def budget(self) -> int:
        """What it may still spend of its own maximum."""
        most = BUDGET_MAX if self.terms.max_points is None else self.terms.max_points * 1000
        return most - self.charged

    @property
    def cost(self) -> int:
        """What it comes to before any adjustment."""
        return self.charged - self.refunded

    def worth(self, ms: int) -> int:
        """What so much time gives back: rounded down, never more than was charged."""
        return min(self.charged, self.terms.rate * max(0, ms) // 60_000)


@dataclass
class Replayed:
    """What a ledger amounts to, and what is wrong in it: (name of the rule, what)."""

    days: Days
    outages: Mapping[str, Sequence[Down]]
    told: Mapping[tuple[str, int], int]
    balance: int = 0
    accounts: dict[str, Account] = field(default_factory=dict)
    balance_after: dict[int, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def replay(
    entries: Sequence[Entry],
    records: Mapping[str, SessionRecord],
    terms: Mapping[str, Terms],
    outages: Mapping[str, Sequence[Down]],
    cap: int = NO_CAP,
    told: Mapping[tuple[str, int], int] | None = None,
) -> Replayed:
    """Go through a ledger, oldest first. `told` has until when a session was answered to be paid after a seq."""
    done = Replayed(days=Days(cap), outages=outages, told=told or {})
    for entry in entries:
        if entry.session_id is not None:
            record = records.get(entry.session_id)
            if record is None:
                done.wrong.append(f"{entry.entry_id}: a session without a record")
            else:
                account = done.accounts.setdefault(
                    entry.session_id, Account(entry.session_id, terms[record.stream_id], started_ms=entry.at_ms)
                )
                done.wrong += [
                    f"{entry.entry_id} (version {entry.version}): {what}" for what in _line(done, account, entry)
                ]
        done.balance += entry.delta_millipoints
        done.balance_after[entry.version] = done.balance
    return done


def _line(done: Replayed, account: Account, entry: Entry) -> list[str]:
    wrong = []
    if entry.stream_id != account.terms.stream_id:
        wrong.append(f"names {entry.stream_id}, but the session is of {account.terms.stream_id}")
    kind = entry.kind.value
    if kind not in LINES:
        return [*wrong, f"a {kind} has no session"]
    if account.ended_version is not None and kind != "adjustment":
        return [*wrong, f"after the end at version {account.ended_version}"]
    return wrong + LINES[kind](done, account, entry)


def _lease(done: Replayed, account: Account, entry: Entry) -> list[str]:
    wrong = _moment(account, entry)
    cost, full = -entry.delta_millipoints, -(-account.terms.rate * account.terms.lease_ms // 60_000)
    due = min(full, done.balance, account.budget)
    if not done.days.sold(entry.at_ms, cost, lambda left: cost == max(0, min(due, left))):
        left = sorted(day.left + cost for day in done.days.possible)
        wrong.append(f"cost {cost}, but {due} was due (balance {done.balance}, of the day {left})")
    if cost == 0 < full:
        wrong.append("sold without money")
    granted_ms = account.terms.lease_ms
    if cost < full:
        granted_ms = min(granted_ms, max(1, cost * 60_000 // account.terms.rate))
    if account.seq == 0 or _gap(done, account, entry, granted_ms):
        account.paid_from_ms = account.paid_until_ms = entry.at_ms
    account.charged_time.append((account.paid_until_ms, account.paid_until_ms + granted_ms))
    account.paid_until_ms += granted_ms
    account.charged += cost
    return wrong + _advance(account, entry, granted_ms)


def _gap(done: Replayed, account: Account, entry: Entry, granted_ms: int) -> bool:
    """Whether a late lease begins anew: after the grace, or if the stream was down behind the end of the last one.

    A function may not have heard of an outage that was over within its cache's time; its answer tells then.
    """
    until_ms = account.paid_until_ms
    if entry.at_ms > until_ms + GRACE_MS:
        return True
    downs = [each for each in done.outages.get(account.terms.stream_id, ()) if each.until_ms is not None]
    across = [each for each in downs if until_ms < (each.until_ms or 0) <= entry.at_ms]
    if not across:
        return False
    told = done.told.get((account.session_id, entry.seq or 0))
    return told is None or told == entry.at_ms + granted_ms


def _unserved(done: Replayed, account: Account, entry: Entry) -> list[str]:
    wrong = _moment(account, entry)
    if entry.delta_millipoints:
        wrong.append(f"free time cost {-entry.delta_millipoints}")
    if entry.at_ms > account.paid_until_ms + GRACE_MS:
        account.paid_from_ms = entry.at_ms
    start_ms = max(entry.at_ms, account.paid_until_ms)
    account.paid_until_ms = start_ms + account.terms.lease_ms
    account.free = {
        (from_ms if until_ms >= entry.at_ms else start_ms, account.paid_until_ms) for from_ms, until_ms in account.free
    }
    return wrong + _advance(account, entry, account.terms.lease_ms)


def _moment(account: Account, entry: Entry) -> list[str]:
    """Whether this was the time to sell more."""
    assert entry.seq is not None
    if account.seq == 0:
        return [] if entry.seq == 1 else [f"the first line has seq {entry.seq}"]
    wrong = []
    if entry.seq <= account.seq:
        wrong.append(f"seq {entry.seq} after {account.seq}")
    if entry.at_ms < account.paid_until_ms - account.horizon_ms:
        wrong.append(f"sold {account.paid_until_ms - entry.at_ms} ms before the end of the paid time")
    if entry.at_ms > account.paid_until_ms + LATE_MS_MAX:
        wrong.append(f"sold {entry.at_ms - account.paid_until_ms} ms after the end of the paid time")
    return wrong


def _advance(account: Account, entry: Entry, granted_ms: int) -> list[str]:
    assert entry.seq is not None
    account.seq = entry.seq
    account.granted_ms += granted_ms
    account.paid_until[entry.seq] = account.paid_until_ms
    account.looked_ms = entry.at_ms
    return []


def _outage_credit(done: Replayed, account: Account, entry: Entry) -> list[str]:
    """An outage that is over may have been credited while it lasted: both amounts are right, and no other."""
    _, stream_id, since, seq, session_id = entry.entry_id.split(".")
    down = next((each for each in done.outages.get(stream_id, ()) if each.since_ms == int(since)), None)
    done.days.given_back(entry.at_ms, entry.delta_millipoints)
    account.looked_ms = entry.at_ms
    if down is None or (int(seq), session_id) != (account.seq, entry.session_id):
        return ["there was no such outage"]
    wrong = [f"after {account.outages} were credited"] if any(each >= int(since) for each in account.outages) else []
    account.outages.append(down.since_ms)
    from_ms, until_ms = max(down.since_ms, account.paid_from_ms), account.paid_until_ms
    over_ms = until_ms if down.until_ms is None else min(down.until_ms, until_ms)
    as_lasting = {
        each for each in account.free if entry.delta_millipoints == _outage_due(account, each, from_ms, until_ms)
    }
    as_over = {each for each in account.free if entry.delta_millipoints == _outage_due(account, each, from_ms, over_ms)}
    if down.until_ms is None:
        as_over = set()
    if down.until_ms is not None and down.until_ms > entry.at_ms:
        # Told by a clock that is ahead: the rest is marked as given back.
        as_over = {(min(from_ms, a), max(over_ms, b)) if b >= from_ms else (from_ms, over_ms) for a, b in as_over}
    if not as_lasting | as_over:
        dues = {_outage_due(account, each, from_ms, end_ms) for each in account.free for end_ms in (over_ms, until_ms)}
        wrong.append(f"gave back {entry.delta_millipoints}, but of {down} {sorted(dues)} is right")
    else:
        account.free = as_over | {(min(from_ms, a) if b >= from_ms else from_ms, until_ms) for a, b in as_lasting}
    if as_lasting:
        # The rest of the lease was given back, so no later outage owes anything for it.
        account.charged_time = [(a, min(b, from_ms)) for a, b in account.charged_time if a < from_ms]
    account.charged -= entry.delta_millipoints
    account.credited += entry.delta_millipoints
    return wrong


def _outage_due(account: Account, free: Stretch, from_ms: int, until_ms: int) -> int:
    free_ms = max(0, min(until_ms, free[1]) - max(from_ms, free[0]))
    return account.worth(until_ms - from_ms - free_ms)


def _refund(done: Replayed, account: Account, entry: Entry) -> list[str]:
    unserved_ms = max(0, account.paid_until_ms - entry.at_ms)
    dues = set()
    for free_from_ms, free_until_ms in account.free:
        free_ms = max(0, min(free_until_ms, account.paid_until_ms) - max(free_from_ms, entry.at_ms))
        dues.add(account.worth(unserved_ms - free_ms))
    done.days.given_back(entry.at_ms, entry.delta_millipoints)
    account.ended_version, account.ended_ms, account.looked_ms = entry.version, entry.at_ms, entry.at_ms
    account.refunded = entry.delta_millipoints
    if entry.delta_millipoints not in dues:
        return [f"gave back {entry.delta_millipoints}, but {sorted(dues)} was unserved ({unserved_ms} ms)"]
    return []


def _adjustment(done: Replayed, account: Account, entry: Entry) -> list[str]:
    """After the end, and all of them together give back no more than the session cost, and never less than nothing."""
    account.adjustments += 1
    account.adjusted += entry.delta_millipoints
    account.adjusted_most = max(account.adjusted_most, account.adjusted)
    if account.ended_version is None:
        return ["an adjustment before the end"]
    if not 0 <= account.adjusted <= account.cost:
        return [f"adjustments have given back {account.adjusted} of {account.cost}"]
    return []


# What a line of each kind does to its session; a line without a session concerns the balance only.
LINES = {
    "lease": _lease,
    "unserved": _unserved,
    "outage_credit": _outage_credit,
    "refund": _refund,
    "adjustment": _adjustment,
}
