"""The rules of settlement and debt, written a second time from docs/billing.md."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import Entry
from tests.faults.harness.environment import DAY_MS, SKEW_MS, Outage
from tests.faults.harness.gateway import LOG_ARRIVES_MS, Report

if TYPE_CHECKING:
    from tests.faults.oracle.replay import ReplayedLedger, SessionAccount

ALLOWANCE_MS = 8_000
GRACE_MS = 5_000
HOUR_MS = 3_600_000
# A function knows for half a minute whether a log is followed; its clock may be set meanwhile.
FOLLOWED_KNOWN_MS = 30_000 + 2 * SKEW_MS
VIEWERS_OWN = (
    "viewer_stopped",
    "superseded",
    "lease_expired",
    "balance_exhausted",
    "max_points_reached",
    "daily_cap_reached",
)
# What a settlement depends on: the complete log, or nothing because a part of it is lost.
MEASURED, NEVER = "measured", "never"


@dataclass(frozen=True, kw_only=True)
class SettlingTerms:
    """What the gateway served and reported, the stage's rules of credits, and whether the account was erased."""

    # Media time by session.
    served: Mapping[str, int] = field(default_factory=dict)
    reports: tuple[Report, ...] = ()
    credits: bool = True
    # In millipoints; 0 is no bound.
    credits_per_day: int = 0
    erased: bool = False


@dataclass
class Debts:
    """The possible debts of a wallet, and the credits of each day. An erasure writes a debt off at any time."""

    possible: set[int] = field(default_factory=lambda: {0})
    credited: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, millipoints: int, terms: SettlingTerms) -> None:
        """Record what a balance could not pay."""
        self.possible = {each + millipoints for each in self.possible} | ({0} if terms.erased else set())


def allowance(account: "SessionAccount") -> int:
    """Return the price of the time that may be served ahead, rounded up."""
    return -(-account.terms.rate * min(ALLOWANCE_MS, account.granted_ms) // 60_000)


def ends(account: "SessionAccount", record: SessionRecord, terms: SettlingTerms, at_ms: int) -> set[tuple[int, int]]:
    """Return the possible refunds of an end, each with its reserve."""
    unserved_ms, possible = max(0, account.paid_until_ms - at_ms), set()
    for from_ms, until_ms in account.free:
        paid_ms = unserved_ms - max(0, min(until_ms, account.paid_until_ms) - max(from_ms, at_ms))
        whole = account.worth(paid_ms)
        at_once = account.worth(paid_ms - min(ALLOWANCE_MS, account.granted_ms))
        own = record.end_reason is not None and record.end_reason.value in VIEWERS_OWN
        possible |= {(at_once, whole - at_once)} if own else {(whole, 0)}
        if own and not _surely_followed(terms, at_ms):
            possible.add((whole, 0))
    if terms.erased and record.end_reason is not None and record.end_reason.value == "kicked":
        # A start that an erasure overtook is taken back as a whole.
        possible.add((account.worth(account.paid_until_ms - record.started_at_ms), 0))
    return possible


def _surely_followed(terms: SettlingTerms, at_ms: int) -> bool:
    known = [each.through_ms for each in terms.reports if each.at_ms <= at_ms - FOLLOWED_KNOWN_MS]
    return bool(known) and known[-1] > at_ms + SKEW_MS - HOUR_MS


def measurements(record: SessionRecord, terms: SettlingTerms) -> set[str]:
    """Return whether a session that was settled was measured; both if a loss was reported about that time."""
    started_ms, ended_ms = record.started_at_ms, record.ended_at_ms or 0
    complete_ms = ended_ms + LOG_ARRIVES_MS
    lost = [any(a <= complete_ms and b >= started_ms for a, b in each.lost) for each in terms.reports]
    covering = [n for n, each in enumerate(terms.reports) if each.through_ms >= complete_ms]
    possible = {MEASURED} if covering and not lost[covering[0]] else set()
    gave_up = (record.settled_at_ms or 0) > ended_ms + DAY_MS - SKEW_MS
    return possible | ({NEVER} if any(lost) or gave_up else set())


def due(account: "SessionAccount", record: SessionRecord, terms: SettlingTerms, adjusted: int) -> set[tuple[int, int]]:
    """Return the possible settlements: media time and amount, before the bounds of day and credits."""
    possible, rate = set(), account.terms.rate
    paid = account.charged - account.refunded
    for measured in measurements(record, terms):
        if measured == NEVER:
            possible.add((0, max(0, min(record.reserved_millipoints or 0, paid - adjusted))))
            continue
        media_ms = terms.served.get(account.session_id, 0)
        paid_ms = paid * 60_000 // rate
        ahead_ms = media_ms - paid_ms - account.credited * 60_000 // rate - account.terms.lease_ms * account.unserved
        short_ms, amount = paid_ms - media_ms, 0
        own = record.end_reason is not None and record.end_reason.value in VIEWERS_OWN and not record.in_outage
        if ahead_ms > 0 and own:
            amount = -min(rate * ahead_ms // 60_000, account.budget + account.refunded + allowance(account))
        elif short_ms > 0:
            amount = min(rate * short_ms // 60_000, max(0, paid - adjusted))
        possible.add(((ahead_ms if amount < 0 else -short_ms), amount) if amount else (0, 0))
    return possible


def settled(done: "ReplayedLedger", account: "SessionAccount", entry: Entry, record: SessionRecord) -> list[str]:
    """Check the line of a settlement: once, with the record's mark, and by the rules."""
    errors = []
    if account.ended_ms is None or account.settled_version is not None:
        errors.append("before the end" if account.ended_ms is None else "settled twice")
    account.settled_version, account.settled = entry.version, entry.delta_millipoints
    marked = (record.settled_millipoints or 0, record.settled_debt_millipoints or 0)
    if (entry.entry_id, entry.at_ms) != (f"{account.session_id}.settled", record.settled_at_ms):
        errors.append(f"does not fit the mark of its record, which is settled at {record.settled_at_ms}")
    if marked[0] != entry.delta_millipoints - marked[1] or marked[0] == 0:
        errors.append(f"the line has {entry.delta_millipoints}, the record {marked} (settled, debt of it)")
    possible = {each for each in due(account, record, done.settling, account.adjusted) if each[0] == record.settled_ms}
    check = _charged if entry.kind.value == "served_ahead" else _credited
    wrong = [check(done, account, entry, record, amount) for _, amount in possible]
    if not possible:
        wrong = [
            [f"is for {record.settled_ms} ms, but {due(account, record, done.settling, account.adjusted)} is right"]
        ]
    _record_day(done, account, entry, marked[0])
    done.debts.add(marked[1], done.settling)
    if not 0 <= account.adjusted <= account.cost:
        errors.append(f"adjustments have given back {account.adjusted} of {account.cost}")
    return errors + min(wrong, key=len)


def _charged(
    done: "ReplayedLedger", account: "SessionAccount", entry: Entry, record: SessionRecord, amount: int
) -> list[str]:
    charge, debt = -(record.settled_millipoints or 0), record.settled_debt_millipoints or 0
    days = {day for day in done.days.begun(entry.at_ms) if day.number >= entry.at_ms // DAY_MS}
    rights = {min(-amount, max(day.left, account.refunded) + allowance(account)) for day in days}
    paid = {min(each, done.balance) for each in rights}
    if done.settling.erased and (charge, debt) in {(each, 0) for each in paid}:
        return []
    if charge not in rights or charge <= 0:
        return [f"charged {charge}, but {sorted(rights)} of {-amount} was due"]
    if debt != charge - min(charge, done.balance):
        return [f"made a debt of {debt} of {charge}, with a balance of {done.balance}"]
    return []


def _credited(
    done: "ReplayedLedger", account: "SessionAccount", entry: Entry, record: SessionRecord, amount: int
) -> list[str]:
    reserve, credited = record.reserved_millipoints or 0, done.debts.credited[entry.at_ms // DAY_MS]
    beyond = max(0, amount - reserve)
    if beyond and _withholds(done.settling, credited + beyond):
        amount = reserve
    if entry.delta_millipoints != amount or amount <= 0:
        return [f"credited {entry.delta_millipoints}, but {amount} was due ({credited} were credited that day)"]
    return []


def _withholds(terms: SettlingTerms, credited: int) -> bool:
    return not terms.credits or 0 < terms.credits_per_day < credited


def _record_day(done: "ReplayedLedger", account: "SessionAccount", entry: Entry, millipoints: int) -> None:
    """Let the day of the wallet follow."""
    if millipoints < 0:
        allowed = allowance(account)
        done.days.sold(entry.at_ms, -millipoints, lambda left: -millipoints <= max(left, account.refunded) + allowed)
        return
    done.days.given_back(entry.at_ms, millipoints)
    record = done.records[account.session_id]
    done.debts.credited[entry.at_ms // DAY_MS] += max(0, millipoints - (record.reserved_millipoints or 0))


def paid_debt(done: "ReplayedLedger", entry: Entry, following: Entry | None) -> list[str]:
    """Check a payment of debt: all of it, and directly before the first lease of the start that paid it."""
    errors = []
    if -entry.delta_millipoints not in done.debts.possible or not entry.delta_millipoints:
        errors.append(f"paid {-entry.delta_millipoints} of {sorted(done.debts.possible)}")
    lease = (following.entry_id, following.at_ms) if following else None
    if lease != (entry.entry_id.removeprefix("d.") + ".1", entry.at_ms):
        errors.append(f"is followed by {lease}")
    done.debts.possible = {0}
    return errors


def unpaid_debt(done: "ReplayedLedger", account: "SessionAccount") -> list[str]:
    """Check a first lease: no debt is open."""
    if account.terms.rate and 0 not in done.debts.possible:
        return [f"a start with a debt of {sorted(done.debts.possible)}"]
    return []


def marks_without_a_line(done: "ReplayedLedger", account: "SessionAccount", record: SessionRecord) -> Iterator[str]:
    """Check a record that is settled without a line: nothing was due, or the credit is withheld."""
    values = (record.settled_millipoints, record.settled_debt_millipoints)
    if values != (0, 0):
        yield f"is settled with {values}, without a line"
    possible = {each for adjusted in account.adjusted_ever for each in due(account, record, done.settling, adjusted)}
    for media_ms, amount in possible:
        if media_ms != record.settled_ms:
            continue
        day = done.debts.credited[(record.settled_at_ms or 0) // DAY_MS]
        withheld = amount > 0 and not record.reserved_millipoints and _withholds(done.settling, day + amount)
        # An erased account without a balance pays nothing.
        if amount == 0 or withheld or (amount < 0 and done.settling.erased):
            return
    yield f"is settled for {record.settled_ms} ms without a line, but {sorted(possible)} was due"


def outage_at_the_end(record: SessionRecord, account: "SessionAccount", outages: tuple[Outage, ...]) -> Iterator[str]:
    """Check whether the stream was down at the end, as far as clocks and caches allow.

    An outage that began after a lease and its grace is none of the session's.
    """
    ended_ms = record.ended_at_ms or 0
    outages = tuple(each for each in outages if each.since_ms <= account.paid_until_ms + GRACE_MS)
    down = [each for each in outages if each.until_ms is None or each.until_ms >= ended_ms - SKEW_MS]
    if record.in_outage and not down:
        yield f"ended in an outage at {ended_ms}, but there was none: {outages}"
    surely = [each for each in down if each.until_ms is None and each.known_ms < ended_ms - SKEW_MS]
    if surely and not record.in_outage:
        yield f"ended at {ended_ms}, which was not in {surely}"
