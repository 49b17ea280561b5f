"""The rules of outage credits, written a second time from docs/billing.md."""

from typing import TYPE_CHECKING

from chalicelib.domain.money.wallets import Entry

if TYPE_CHECKING:
    from tests.faults.oracle.replay import Interval, ReplayedLedger, SessionAccount


def outage_credit(done: "ReplayedLedger", account: "SessionAccount", entry: Entry) -> list[str]:
    """Check an outage credit. It may have been made during the outage or after it, so two amounts are possible."""
    _, stream_id, since, seq, session_id = entry.entry_id.split(".")
    down = next((each for each in done.outages.get(stream_id, ()) if each.since_ms == int(since)), None)
    done.days.given_back(entry.at_ms, entry.delta_millipoints)
    account.looked_ms = entry.at_ms
    if down is None or (int(seq), session_id) != (account.seq, entry.session_id):
        return ["there was no such outage"]
    errors = [f"after {account.outages} were credited"] if any(each >= int(since) for each in account.outages) else []
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
        # From a clock that is ahead: the rest is marked as refunded.
        as_over = {(min(from_ms, a), max(over_ms, b)) if b >= from_ms else (from_ms, over_ms) for a, b in as_over}
    if not as_lasting | as_over:
        dues = {_outage_due(account, each, from_ms, end_ms) for each in account.free for end_ms in (over_ms, until_ms)}
        errors.append(f"gave back {entry.delta_millipoints}, but of {down} {sorted(dues)} is right")
    else:
        account.free = as_over | {(min(from_ms, a) if b >= from_ms else from_ms, until_ms) for a, b in as_lasting}
    if as_lasting:
        # The rest of the lease was refunded, so no later outage refunds it.
        account.charged_time = [(a, min(b, from_ms)) for a, b in account.charged_time if a < from_ms]
    account.charged -= entry.delta_millipoints
    account.credited += entry.delta_millipoints
    return errors


def _outage_due(account: "SessionAccount", free: "Interval", from_ms: int, until_ms: int) -> int:
    free_ms = max(0, min(until_ms, free[1]) - max(from_ms, free[0]))
    return account.worth(until_ms - from_ms - free_ms)
