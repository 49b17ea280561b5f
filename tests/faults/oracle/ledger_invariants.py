"""What must hold whatever happens: the invariants of days, outages, keys, adjustments, and of the books themselves."""

from collections import defaultdict
from collections.abc import Iterator

from chalicelib.domain.ids import session_id_of
from player.statement.chain import HASHED, genesis, line_hash
from tests.faults.harness.environment import DAY_MS, LATE_MS, OLD_NEWS_MS, SKEW_MS, Down
from tests.faults.harness.operations import Deed, Refused
from tests.faults.oracle.registry import Case, invariant
from tests.faults.oracle.replay import Account


@invariant
def a_key_opens_one_session(case: Case) -> Iterator[str]:
    """However often a start is sent: always the same session, and no other start's."""
    told: dict[str, Deed] = {}
    for deed in case.viewer.of("start"):
        if not deed.sold:
            continue
        first = told.setdefault(str(deed.key), deed)
        assert first.sold
        if deed.sold.session_id != first.sold.session_id:
            yield f"{deed.key} opened {first.sold.session_id} and {deed.sold.session_id}"
        elif deed.sold.session_id != session_id_of(case.viewer.user_id, str(deed.key)):
            yield f"{deed.key} opened {deed.sold.session_id}, which is not the session of that key"
    keys = {session_id_of(case.viewer.user_id, str(deed.key)) for deed in case.viewer.of("start")}
    yield from (f"{each} was opened without a key" for each in set(case.replayed.accounts) - keys)


@invariant
def every_page_is_chained(case: Case) -> Iterator[str]:
    """As whoever checks a statement reckons it; a page that is missing is for `a_page_is_six_versions`."""
    hashes, balance = [genesis(case.viewer.user_id)], 0
    states = {0: (hashes[0], 0)}
    for entry in case.view.entries:
        line = {name: getattr(entry, name) for name in HASHED} | {"kind": entry.kind.value}
        hashes.append(line_hash(hashes[-1], line))
        balance += entry.delta_millipoints
        states[entry.version] = (hashes[-1], balance)
    for page in case.view.pages:
        before = states.get(page.first_version - 1, ("?", 0))
        after = states.get(page.entries[-1].version, ("?", 0))
        if (page.previous_hash, page.hash, page.balance_millipoints) != (before[0], *after):
            yield f"the page of version {page.first_version} does not fit to the lines"


@invariant
def a_day_costs_no_more_than_its_cap(case: Case) -> Iterator[str]:
    """Net of what is given back on it. What was sold while two clocks may be on both sides of midnight is left out, and
    what may have arrived after it: that counts to the day that has begun."""
    costs: dict[int, int] = defaultdict(int)
    for entry in case.view.entries:
        days = {(entry.at_ms + ms) // DAY_MS for ms in (-2 * SKEW_MS, LATE_MS + 2 * SKEW_MS)}
        sold, back = entry.kind.value == "lease", entry.kind.value in ("refund", "outage_credit")
        if back or (sold and len(days) == 1):
            for day in days:
                costs[day] -= entry.delta_millipoints
    yield from (
        f"day {day} cost {cost}, the cap is {case.viewer.cap}" for day, cost in costs.items() if cost > case.viewer.cap
    )


@invariant
def the_day_of_a_wallet_follows_from_its_lines(case: Case) -> Iterator[str]:
    """Which day it counts, and what the cap leaves of it."""
    wallet, days = case.view.wallet, case.replayed.days
    stands = (wallet.day, wallet.daily_left_millipoints)
    possible = {(day.number, day.left) for day in days.begun(case.view.now_ms)}
    if case.replayed.accounts and stands not in possible:
        yield f"the wallet is at {stands} (day, left of it), its lines make {sorted(possible)}"


@invariant
def no_outage_is_paid_for(case: Case) -> Iterator[str]:
    """Once a session was looked at by a function that knew of an outage, the time in it was given back.

    Time in which functions may not have heard of it yet is left out; what was given back is held against the rules by
    `every_line_follows_the_rules`.
    """
    for session_id, account in case.replayed.accounts.items():
        for down in case.view.outages[account.terms.stream_id]:
            if down.since_ms in account.outages or down.known_ms + OLD_NEWS_MS >= account.looked_ms:
                continue
            paid_ms = _paid_in(account, down)
            if paid_ms > OLD_NEWS_MS and account.worth(paid_ms) > 0:
                yield f"{session_id} paid for {paid_ms} ms of {down}"


@invariant
def an_adjustment_is_counted_once(case: Case) -> Iterator[str]:
    """Each is a line of its session, whose record counts them; once, as all payments are."""
    for session_id, record in case.view.records.items():
        account = case.replayed.accounts.get(session_id)
        counted = (record.adjustments, record.adjusted_millipoints)
        if account is not None and counted != (account.adjustments, account.adjusted):
            yield f"{session_id}: the record counts {counted}, the lines {account.adjustments, account.adjusted}"
    for deed in case.viewer.of("adjust"):
        kept = case.view.payments.get(str(deed.payment_id))
        if kept is not None and kept[2] != case.viewer.adjusted[str(deed.payment_id)]:
            yield f"{deed.payment_id} was for {deed.session_id}, but is kept as {kept}"
    for entry in case.view.entries:
        if (entry.kind.value == "adjustment" and entry.delta_millipoints > 0) > (entry.session_id is not None):
            yield f"{entry.entry_id} gives {entry.delta_millipoints} for no session"


@invariant
def an_adjustment_that_fits_is_not_refused(case: Case) -> Iterator[str]:
    """Whatever others have given back at any moment; that one which does not fit is not made is a rule of the lines."""
    for deed in case.viewer.of("adjust"):
        account = case.replayed.accounts.get(str(deed.session_id))
        refused = isinstance(deed.answer, Refused) and deed.answer.code == "adjustment_out_of_bounds"
        if refused and (account is None or 0 < deed.millipoints <= account.cost - account.adjusted_most):
            yield f"{deed.payment_id} of {deed.millipoints} was refused for {account}"


def _paid_in(account: Account, down: Down) -> int:
    """How much of an outage was sold to a session, up to its end."""
    until_ms = down.until_ms if down.until_ms is not None else max(account.paid_until_ms, down.since_ms)
    if account.ended_ms is not None:
        until_ms = min(until_ms, account.ended_ms)
    return sum(max(0, min(b, until_ms) - max(a, down.since_ms)) for a, b in account.charged_time)
