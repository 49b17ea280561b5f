"""The rules of selling, written a second time from docs/architecture.md and run over a ledger.

A ledger says at which moment (by the clock of the function that did it) what was sold. That is enough to say what each
line must have cost and how long each session was paid for; what differs from the ledger is an error.
"""

from dataclasses import dataclass, field

from chalicelib.domain.sessions import SessionRecord
from chalicelib.domain.wallets import Entry
from tests.faults.world import Terms

GRACE_MS = 5_000
LATE_MS_MAX = 600_000
HORIZON_MS_MAX = 5_000
BUDGET_MAX = 10**12


@dataclass
class Account:
    """One session as its lines tell it. `paid_until` has the end of the paid time after each seq."""

    terms: Terms
    started_ms: int
    seq: int = 0
    paid_until_ms: int = 0
    charged: int = 0
    granted_ms: int = 0
    free_from_ms: int = 0
    free_until_ms: int = 0
    ended_version: int | None = None
    refunded: int = 0
    paid_until: dict[int, int] = field(default_factory=dict)

    @property
    def horizon_ms(self) -> int:
        return min(self.terms.lease_ms // 2, HORIZON_MS_MAX)

    @property
    def budget(self) -> int:
        """What it may still spend of its own maximum."""
        most = BUDGET_MAX if self.terms.max_points is None else self.terms.max_points * 1000
        return most - self.charged


@dataclass
class Replayed:
    """What a ledger amounts to, and what is wrong in it: (name of the rule, what)."""

    balance: int = 0
    accounts: dict[str, Account] = field(default_factory=dict)
    balance_after: dict[int, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def replay(entries: list[Entry], records: dict[str, SessionRecord], terms: dict[str, Terms]) -> Replayed:
    """Go through a ledger, oldest first."""
    done = Replayed()
    for entry in entries:
        if entry.session_id is not None:
            record = records.get(entry.session_id)
            if record is None:
                done.wrong.append(f"{entry.entry_id}: a session without a record")
            else:
                account = done.accounts.setdefault(
                    entry.session_id, Account(terms=terms[record.stream_id], started_ms=entry.at_ms)
                )
                done.wrong += [
                    f"{entry.entry_id} (version {entry.version}): {what}" for what in _line(done, account, entry)
                ]
        done.balance += entry.delta_millipoints
        done.balance_after[entry.version] = done.balance
    return done


def _line(done: Replayed, account: Account, entry: Entry) -> list[str]:
    if account.ended_version is not None:
        return [f"after the end at version {account.ended_version}"]
    kind = LINES.get(entry.kind.value)
    return kind(done, account, entry) if kind else []


def _lease(done: Replayed, account: Account, entry: Entry) -> list[str]:
    assert entry.seq is not None
    wrong = _moment(account, entry)
    full = -(-account.terms.rate * account.terms.lease_ms // 60_000)
    charge = min(full, done.balance, account.budget)
    granted_ms = account.terms.lease_ms
    if charge < full:
        granted_ms = min(granted_ms, max(1, charge * 60_000 // account.terms.rate))
    if charge != -entry.delta_millipoints:
        wrong.append(f"cost {-entry.delta_millipoints}, but {charge} was due (balance {done.balance})")
    if charge == 0 < full:
        wrong.append("sold without money")
    if account.seq == 0 or entry.at_ms > account.paid_until_ms + GRACE_MS:
        account.paid_until_ms = entry.at_ms + granted_ms
    else:
        account.paid_until_ms += granted_ms
    account.charged -= entry.delta_millipoints
    return wrong + _advance(account, entry, granted_ms)


def _unserved(done: Replayed, account: Account, entry: Entry) -> list[str]:
    wrong = _moment(account, entry)
    if entry.delta_millipoints:
        wrong.append(f"free time cost {-entry.delta_millipoints}")
    start_ms = max(entry.at_ms, account.paid_until_ms)
    if account.free_until_ms < entry.at_ms:
        account.free_from_ms = start_ms
    account.paid_until_ms = account.free_until_ms = start_ms + account.terms.lease_ms
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
    return []


def _refund(done: Replayed, account: Account, entry: Entry) -> list[str]:
    unserved_ms = max(0, account.paid_until_ms - entry.at_ms)
    free_ms = max(0, min(account.free_until_ms, account.paid_until_ms) - max(account.free_from_ms, entry.at_ms))
    due = min(account.charged, account.terms.rate * max(0, unserved_ms - free_ms) // 60_000)
    account.ended_version = entry.version
    account.refunded = entry.delta_millipoints
    if entry.delta_millipoints != due:
        return [f"gave back {entry.delta_millipoints}, but {due} was unserved ({unserved_ms} ms, {free_ms} ms free)"]
    return []


# What a line of each kind does to its session; payments concern the balance only.
LINES = {"lease": _lease, "unserved": _unserved, "refund": _refund}
