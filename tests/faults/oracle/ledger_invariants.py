"""The invariants of days, outages, keys, adjustments, and of the hash chain."""

from collections import defaultdict
from collections.abc import Iterator

from chalicelib.domain.ids import session_id_of
from player.statement.chain import HASHED_FIELDS, genesis, line_hash
from tests.faults.harness.environment import CACHE_MS_MAX, DAY_MS, DELAY_MS_MAX, SKEW_MS, Outage
from tests.faults.harness.operations import Operation, Refusal, ReversalAnswer
from tests.faults.oracle.registry import Case, invariant
from tests.faults.oracle.replay import SessionAccount
from tests.faults.oracle.settling import allowance


@invariant
def a_key_opens_one_session(case: Case) -> Iterator[str]:
    """All starts with a key open the same session, and other keys open other sessions."""
    first_starts: dict[str, Operation] = {}
    for operation in case.viewer.of("start"):
        if not operation.lease:
            continue
        first = first_starts.setdefault(str(operation.key), operation)
        assert first.lease
        if operation.lease.session_id != first.lease.session_id:
            yield f"{operation.key} opened {first.lease.session_id} and {operation.lease.session_id}"
        elif operation.lease.session_id != session_id_of(case.viewer.user_id, str(operation.key)):
            yield f"{operation.key} opened {operation.lease.session_id}, which is not the session of that key"
    keys = {session_id_of(case.viewer.user_id, str(operation.key)) for operation in case.viewer.of("start")}
    yield from (f"{each} was opened without a key" for each in set(case.replayed.accounts) - keys)


@invariant
def every_page_is_chained(case: Case) -> Iterator[str]:
    """Each page has the hashes of the chain. `a_page_is_six_versions` finds missing pages."""
    hashes, balance = [genesis(case.viewer.user_id)], 0
    states = {0: (hashes[0], 0)}
    for entry in case.view.entries:
        line = {name: getattr(entry, name) for name in HASHED_FIELDS} | {"kind": entry.kind.value}
        hashes.append(line_hash(hashes[-1], line))
        balance += entry.delta_millipoints
        states[entry.version] = (hashes[-1], balance)
    for page in case.view.pages:
        before = states.get(page.first_version - 1, ("?", 0))
        after = states.get(page.entries[-1].version, ("?", 0))
        if (page.previous_hash, page.hash, page.balance_millipoints) != (before[0], *after):
            yield f"the page of version {page.first_version} does not fit the lines"


@invariant
def a_day_costs_no_more_than_its_cap(case: Case) -> Iterator[str]:
    """Sales less refunds of a day are within its cap, without sales near midnight, which may count to either day.

    Each charge of a settlement may pass it by the allowance of its session and by what its end gave back.
    """
    costs: dict[int, int] = defaultdict(int)
    caps: dict[int, int] = defaultdict(lambda: case.viewer.cap)
    for entry in case.view.entries:
        days = {(entry.at_ms + ms) // DAY_MS for ms in (-2 * SKEW_MS, DELAY_MS_MAX + 2 * SKEW_MS)}
        kind, record = entry.kind.value, case.view.records.get(str(entry.session_id))
        if kind in ("refund", "outage_credit", "unserved_credit") or (kind == "lease" and len(days) == 1):
            for day in days:
                costs[day] -= entry.delta_millipoints
        elif kind == "served_ahead" and record is not None:
            for day in days:
                caps[day] += allowance(case.replayed.accounts[record.session_id]) + (record.refunded_millipoints or 0)
                costs[day] -= (record.settled_millipoints or 0) if len(days) == 1 else 0
    yield from (f"day {day} cost {cost}, the cap is {caps[day]}" for day, cost in costs.items() if cost > caps[day])


@invariant
def the_day_of_a_wallet_follows_from_its_lines(case: Case) -> Iterator[str]:
    """The day of a wallet and the rest of its cap follow from the lines."""
    wallet, days = case.view.wallet, case.replayed.days
    current = (wallet.day, wallet.daily_left_millipoints)
    possible = {(day.number, day.left) for day in days.begun(case.view.now_ms)}
    if case.replayed.accounts and current not in possible:
        yield f"the wallet is at {current} (day, left of it), its lines make {sorted(possible)}"


@invariant
def no_outage_is_paid_for(case: Case) -> Iterator[str]:
    """The time of an outage is refunded once a function that knew of it has changed the session.

    Functions may not know it within the time of their cache. `every_line_follows_the_rules` checks the amounts.
    """
    for session_id, account in case.replayed.accounts.items():
        for down in case.view.outages[account.terms.stream_id]:
            if down.since_ms in account.outages or down.known_ms + CACHE_MS_MAX >= account.looked_ms:
                continue
            paid_ms = _paid_in(account, down)
            # A start that an erasure overtook is taken back as a whole, so it cost nothing.
            if paid_ms > CACHE_MS_MAX and min(account.worth(paid_ms), account.cost) > 0:
                yield f"{session_id} paid for {paid_ms} ms of {down}: {account}"


@invariant
def an_adjustment_is_counted_once(case: Case) -> Iterator[str]:
    """Each adjustment is a line of its session, and its record counts it once."""
    for session_id, record in case.view.records.items():
        account = case.replayed.accounts.get(session_id)
        counted = (record.adjustments, record.adjusted_millipoints)
        if account is not None and counted != (account.adjustments, account.adjusted):
            yield f"{session_id}: the record counts {counted}, the lines {account.adjustments, account.adjusted}"
    for operation in case.viewer.of("adjust"):
        kept = case.view.payments.get(str(operation.payment_id))
        if kept is not None and kept[2] != case.viewer.adjusted[str(operation.payment_id)]:
            yield f"{operation.payment_id} was for {operation.session_id}, but is kept as {kept}"
    for entry in case.view.entries:
        if (entry.kind.value == "adjustment" and entry.delta_millipoints > 0) > (entry.session_id is not None):
            yield f"{entry.entry_id} gives {entry.delta_millipoints} for no session"


@invariant
def an_adjustment_that_fits_is_not_refused(case: Case) -> Iterator[str]:
    """An adjustment within the bounds succeeds, whatever else was adjusted before."""
    for operation in case.viewer.of("adjust"):
        account = case.replayed.accounts.get(str(operation.session_id))
        refused = isinstance(operation.answer, Refusal) and operation.answer.code == "adjustment_out_of_bounds"
        if refused and (account is None or 0 < operation.millipoints <= account.adjustable):
            yield f"{operation.payment_id} of {operation.millipoints} was refused for {account}"


@invariant
def a_reversal_takes_back_once(case: Case) -> Iterator[str]:
    """A reversal is one line. It takes what the wallet held of a top-up, and the payment's row has both amounts."""
    lines = [entry for entry in case.view.entries if entry.kind.value == "reversal"]
    requested = {operation.payment_id for operation in case.viewer.of("reverse")}
    if len({entry.payment_id for entry in lines}) < len(lines):
        yield f"{[entry.payment_id for entry in lines]} are reversed, one of them twice"
    for entry in lines:
        payment_id = str(entry.payment_id)
        _, paid, session_id = case.view.payments.get(payment_id, ("?", 0, None))
        taken = min(paid, case.replayed.balance_after.get(entry.version - 1, 0))
        row, right = case.view.reversals.get(payment_id), (taken, paid - taken)
        if entry.delta_millipoints != -taken or row != right or paid <= 0 or session_id is not None:
            yield f"{entry.entry_id} takes {-entry.delta_millipoints} of {paid}, and its row says {row}, not {right}"
        if entry.entry_id != f"r.{payment_id}" or payment_id not in requested:
            yield f"{entry.entry_id} of {payment_id} was not requested"
    reversed_ids = {entry.payment_id for entry in lines}
    yield from (f"{each} is marked without a line" for each in set(case.view.reversals) - reversed_ids)
    for operation in case.viewer.of("reverse"):
        answer = operation.answer
        row = case.view.reversals.get(str(operation.payment_id))
        if isinstance(answer, ReversalAnswer) and row != (answer.taken, answer.shortfall):
            yield f"{operation.payment_id} was answered with {answer}, its row says {row}"


def _paid_in(account: SessionAccount, down: Outage) -> int:
    """Return the paid time of a session within an outage."""
    until_ms = down.until_ms if down.until_ms is not None else max(account.paid_until_ms, down.since_ms)
    if account.ended_ms is not None:
        until_ms = min(until_ms, account.ended_ms)
    return sum(max(0, min(b, until_ms) - max(a, down.since_ms)) for a, b in account.charged_time)
