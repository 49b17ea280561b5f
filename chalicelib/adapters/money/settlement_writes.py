"""The writes of a settlement: the wallet's, and the mark on the session's record, which go into one transaction."""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.dynamodb import parameters
from chalicelib.adapters.money.wallet_writes import ALWAYS_MAX, JOURNAL, Request, wallet_write
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.settlement import SettlementWrite
from chalicelib.domain.money.wallets import Entry, EntryKind, Wallet, credited_today_millipoints, utc_day

# A settlement counts to the day on which it is written, as refunds and leases do.
CREDIT = f"""
SET balance_millipoints = balance_millipoints + :delta, dl = dl + :delta, cd = :day, cs = :sum, jd.#e = :delta,
    {JOURNAL}
"""
CHARGE = f"""
SET balance_millipoints = balance_millipoints + :delta, dl = dl - :charge, jd.#e = :delta, {JOURNAL}
"""
CHARGE_IN_DEBT = f"{CHARGE.rstrip()} ADD db :debt"
SETTLED = "attribute_exists(user_id) AND dd >= :day AND size(j) < :cap"
CREDITED_AS_SEEN = "(attribute_not_exists(cd) OR cd < :day OR (cd = :day AND cs = :seen_sum))"
# Only what an emptied balance could not pay is debt.
EMPTIES = "balance_millipoints = :paid AND attribute_not_exists(dw)"
# A charge passes the day's cap by its allowance at most, also if another session bought a lease meanwhile.
WITHIN_DAY, RESTS = "dl >= :needed", "dl <= :rest"


def settlement(table: str, seen: Wallet, entry: Entry, written: SettlementWrite) -> Request:
    """Return the write of the wallet, guarded by the sum of the day's credits as seen, or by what bounds a charge."""
    values = {":delta": written.delta_millipoints, ":day": utc_day(written.at_ms), ":cap": ALWAYS_MAX}
    if entry.kind is EntryKind.UNSERVED_CREDIT:
        credited = credited_today_millipoints(seen, written.at_ms)
        values |= {":seen_sum": credited, ":sum": credited + written.credited_millipoints}
        values[":most"] = MILLIPOINTS_MAX - written.delta_millipoints
        update, condition = CREDIT, f"{CREDITED_AS_SEEN} AND balance_millipoints <= :most"
    else:
        values |= {":charge": -written.settlement.millipoints, ":paid": -written.delta_millipoints}
        update, condition = CHARGE, "balance_millipoints >= :paid"
        if written.debt_millipoints:
            update, condition = CHARGE_IN_DEBT, EMPTIES
            values[":debt"] = written.debt_millipoints
        bounds = [WITHIN_DAY] * (written.day_millipoints > 0) + [RESTS] * written.takes_rest
        condition = " AND ".join([condition, *bounds])
        values |= {":needed": written.day_millipoints} if WITHIN_DAY in bounds else {}
        values |= {":rest": written.rest_millipoints} if RESTS in bounds else {}
    return wallet_write(table, seen.user_id, (update, f"{SETTLED} AND {condition}"), {}, values, entry)


def mark_settled(table: str, record: SessionRecord, written: SettlementWrite) -> dict[str, Any]:
    """Return the part of the transaction that marks the record, once, and if its cost is as seen."""
    update = parameters(
        table,
        key={"session_id": record.session_id},
        update="SET settled_at_ms = :at, settled_ms = :media, settled_millipoints = :settled,"
        " settled_debt_millipoints = :debt, charged_millipoints = charged_millipoints - :delta",
        condition="attribute_not_exists(settled_at_ms) AND charged_millipoints = :charged"
        " AND adjusted_millipoints = :adjusted",
        values={
            ":at": written.at_ms,
            ":media": written.settlement.media_ms,
            ":settled": written.settlement.millipoints,
            ":debt": written.debt_millipoints,
            ":delta": written.delta_millipoints,
            ":charged": record.charged_millipoints,
            ":adjusted": record.adjusted_millipoints,
        },
    )
    return {"Update": update}
