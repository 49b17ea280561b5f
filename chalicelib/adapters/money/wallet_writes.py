"""The conditional writes of a wallet as requests. `wallet_item.py` describes the item.

Expressions compute with paths (`balance - ss.#s.c`), so the common heartbeat needs only user, session and seq. Short
names make every heartbeat's request smaller.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chalicelib.adapters.dynamodb import to_attribute, to_row
from chalicelib.adapters.money.wallet_item import entry_attribute, session_map
from chalicelib.domain.money.lease import Closing, Outcome, Purchase
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import ActiveSession
from chalicelib.domain.money.wallets import (
    JOURNAL_ENTRIES_MAX,
    PAGE_ENTRIES,
    Entry,
    EntryKind,
    Payment,
    debt_entry,
    end_entry,
    lease_entry,
    outage_entry,
    payment_entry,
    reversal_entry,
    utc_day,
)
from chalicelib.domain.streams.outages import OutageCredit
from chalicelib.ports.money.money import OnTimeBeat

Request = dict[str, Any]

# Refunds and credits must always fit into the journal, so that sessions can leave a full wallet.
ALWAYS_MAX = JOURNAL_ENTRIES_MAX + PAGE_ENTRIES

# Every change of a wallet sets these and its own delta.
JOURNAL = "version = version + :one, jv.#e = version + :one, j.#e = :e"

BUY_ON_TIME = f"""
SET balance_millipoints = balance_millipoints - ss.#s.c, dl = dl - ss.#s.c, jd.#e = :zero - ss.#s.c,
    ss.#s.q = :seq, ss.#s.chg = ss.#s.chg + ss.#s.c, ss.#s.bud = ss.#s.bud - ss.#s.c,
    ss.#s.pu = ss.#s.pu + ss.#s.l, ss.#s.bf = ss.#s.bf + ss.#s.l, ss.#s.gr = ss.#s.gr + ss.#s.l, {JOURNAL}
"""
# The second write handles a new day, and an outage that the session was not credited for.
ON_TIME = """
ss.#s.q < :seq AND ss.#s.bf <= :now AND ss.#s.pu >= :now AND ss.#s.os = :outage AND dd >= :day
AND balance_millipoints >= ss.#s.c AND ss.#s.bud >= ss.#s.c AND dl >= ss.#s.c AND size(j) < :cap
"""
BUY = f"""
SET balance_millipoints = balance_millipoints - :charge, dl = dl - :charge, jd.#e = :delta,
    ss.#s.q = :seq, ss.#s.chg = ss.#s.chg + :charge, ss.#s.bud = ss.#s.bud - :charge,
    ss.#s.pf = :pf, ss.#s.pu = :until, ss.#s.bf = :from, ss.#s.gr = ss.#s.gr + :granted,
    ss.#s.ff = :ff, ss.#s.fu = :fu, ss.#s.os = :outage, ss.#s.lq = :seq, ss.#s.lp = :charge, {JOURNAL}
"""
AS_SEEN = "ss.#s.q = :seen_seq AND ss.#s.pu = :seen_until AND ss.#s.os = :seen_outage"
COVERED = "balance_millipoints >= :charge AND ss.#s.bud >= :charge AND size(j) < :cap"
# Not for free leases: a cap lowered below what was spent must not end them.
WITHIN_CAP = "dd >= :day AND dl >= :charge"
# A shorter lease is sold only for the exact remainder of the balance, the day or the session's own maximum.
EXACT_REST = "(balance_millipoints = :charge OR dl = :charge OR ss.#s.bud = :charge)"
EXACT_FIRST_REST = "(balance_millipoints = :covered OR dl = :charge)"
START = f"""
SET balance_millipoints = balance_millipoints - :covered, dl = dl - :charge, ss.#s = :session, jd.#e = :delta, {JOURNAL}
"""
# The debt is an entry of its own before the lease.
START_PAYING_DEBT = """
SET balance_millipoints = balance_millipoints - :covered, dl = dl - :charge, ss.#s = :session,
    jd.#d = :debt_delta, jv.#d = version + :one, j.#d = :d,
    jd.#e = :delta, jv.#e = version + :two, j.#e = :e, version = version + :two
REMOVE db
"""
CREDIT_OUTAGE = f"""
SET balance_millipoints = balance_millipoints + :delta, dl = dl + :delta, jd.#e = :delta,
    ss.#s.chg = ss.#s.chg - :delta, ss.#s.bud = ss.#s.bud + :delta,
    ss.#s.ff = :ff, ss.#s.fu = :fu, ss.#s.os = :outage, {JOURNAL}
"""
END = (
    f"SET balance_millipoints = balance_millipoints + :delta, dl = dl + :delta, jd.#e = :delta, {JOURNAL} REMOVE ss.#s"
)
NEW_SESSION = """
attribute_exists(user_id) AND attribute_not_exists(ss.#s) AND size(ss) < :max AND size(j) < :cap
AND balance_millipoints >= :covered
"""
PAYABLE = "attribute_exists(user_id) AND balance_millipoints BETWEEN :least AND :most AND size(j) < :cap"
# The whole payment, or all that the wallet holds.
REVERSIBLE = "attribute_exists(user_id) AND balance_millipoints >= :taken AND size(j) < :cap"
EXACT_BALANCE = " AND balance_millipoints = :taken"
PAY = f"SET balance_millipoints = balance_millipoints + :delta, jd.#e = :delta, {JOURNAL}"


def on_time(table: str, user_id: str, beat: OnTimeBeat) -> Request:
    """Return the write of the common heartbeat."""
    values = {
        ":seq": beat.seq,
        ":now": beat.now_ms,
        ":day": utc_day(beat.now_ms),
        ":outage": beat.outage_ms,
        ":zero": 0,
        ":cap": JOURNAL_ENTRIES_MAX,
    }
    entry = lease_entry(beat.session_id, beat.stream_id, beat.seq, beat.now_ms)
    return wallet_write(table, user_id, (BUY_ON_TIME, ON_TIME), {"#s": beat.session_id}, values, entry)


def purchase(
    table: str, user_id: str, seen: ActiveSession, seq: int, bought: Purchase, now_ms: int, outage_ms: int
) -> Request:
    """Return the write of any other purchase, guarded by the session as seen."""
    after = session_map(
        replace(
            seen,
            paid_from_ms=bought.paid_from_ms,
            paid_until_ms=bought.paid_until_ms,
            free_from_ms=bought.free_from_ms,
            free_until_ms=bought.free_until_ms,
        )
    )
    values = {
        ":seq": seq,
        ":charge": bought.charge_millipoints,
        ":delta": -bought.charge_millipoints,
        ":pf": after["pf"],
        ":until": after["pu"],
        ":from": after["bf"],
        ":granted": bought.granted_ms,
        ":ff": after["ff"],
        ":fu": after["fu"],
        ":outage": outage_ms,
        **_as_seen(seen),
        ":cap": JOURNAL_ENTRIES_MAX,
    }
    condition = f"{AS_SEEN} AND {COVERED}"
    if bought.charge_millipoints:
        condition += f" AND {WITHIN_CAP}"
        values[":day"] = utc_day(now_ms)
    if bought.outcome is Outcome.POOR:
        condition += f" AND {EXACT_REST}"
    kind = EntryKind.UNSERVED if bought.outcome is Outcome.UNSERVED else EntryKind.LEASE
    entry = lease_entry(seen.session_id, seen.stream_id, seq, now_ms, kind)
    return wallet_write(table, user_id, (BUY, condition), {"#s": seen.session_id}, values, entry)


def start(table: str, user_id: str, session: ActiveSession, sessions_max: int, debt_millipoints: int) -> Request:
    """Return the write that adds a session with its first lease, and first pays all debt, which must be this."""
    charge = session.charged_millipoints
    values: dict[str, Any] = {
        ":charge": charge,
        ":covered": charge + debt_millipoints,
        ":delta": -charge,
        ":session": session_map(session),
        ":max": sessions_max,
        ":cap": JOURNAL_ENTRIES_MAX,
    }
    condition = NEW_SESSION
    # A short first lease takes the exact remainder of balance or day, or all of the session's own maximum.
    if charge < session.charge_millipoints and session.budget_millipoints > 0:
        condition += f" AND {EXACT_FIRST_REST}"
    if charge:
        condition += f" AND {WITHIN_CAP}"
        values[":day"] = utc_day(session.started_at_ms)
    entry = lease_entry(session.session_id, session.stream_id, session.seq, session.started_at_ms)
    names = {"#s": session.session_id}
    if not debt_millipoints:
        # A free session starts in spite of a debt.
        condition += " AND attribute_not_exists(db)" if charge else ""
        return wallet_write(table, user_id, (START, condition), names, values, entry)
    values |= {":debt": debt_millipoints, ":debt_delta": -debt_millipoints, ":two": 2}
    request = wallet_write(table, user_id, (START_PAYING_DEBT, f"{condition} AND db = :debt"), names, values, entry)
    paid = debt_entry(session.session_id, session.started_at_ms)
    request["ExpressionAttributeNames"]["#d"] = paid.entry_id
    request["ExpressionAttributeValues"][":d"] = entry_attribute(paid)
    return request


def end(table: str, user_id: str, seen: ActiveSession, closing: Closing, now_ms: int) -> Request:
    """Return the write that ends a session, guarded by the session as seen."""
    values = {":delta": closing.refund_millipoints, **_as_seen(seen), ":cap": ALWAYS_MAX}
    expressions = (END, f"{AS_SEEN} AND size(j) < :cap")
    return wallet_write(table, user_id, expressions, {"#s": seen.session_id}, values, end_entry(seen, now_ms))


def outage_credit(table: str, user_id: str, seen: ActiveSession, credit: OutageCredit, now_ms: int) -> Request:
    """Return the write of an outage credit, guarded by the session as seen."""
    values = {
        ":delta": credit.millipoints,
        ":outage": credit.outage_ms,
        ":ff": credit.free_from_ms,
        ":fu": credit.free_until_ms,
        **_as_seen(seen),
        ":cap": ALWAYS_MAX,
    }
    expressions = (CREDIT_OUTAGE, f"{AS_SEEN} AND size(j) < :cap")
    entry = outage_entry(seen, credit.outage_ms, now_ms)
    return wallet_write(table, user_id, expressions, {"#s": seen.session_id}, values, entry)


def payment(table: str, paid: Payment) -> Request:
    """Return the write of a payment into the wallet or out of it."""
    values = {
        ":delta": paid.millipoints,
        ":least": max(0, -paid.millipoints),
        ":most": MILLIPOINTS_MAX - max(0, paid.millipoints),
        ":cap": ALWAYS_MAX,
    }
    return wallet_write(table, paid.user_id, (PAY, PAYABLE), {}, values, payment_entry(paid))


def reversal(table: str, paid: Payment) -> Request:
    """Return the write that takes a reversed payment back. It is no spending, so the daily cap stays."""
    taken, shortfall = paid.reversed_millipoints or 0, paid.shortfall_millipoints
    values = {":delta": -taken, ":taken": taken, ":cap": ALWAYS_MAX}
    condition = REVERSIBLE + (EXACT_BALANCE if shortfall else "")
    return wallet_write(table, paid.user_id, (PAY, condition), {}, values, reversal_entry(paid))


def _as_seen(seen: ActiveSession) -> dict[str, Any]:
    return {":seen_seq": seen.seq, ":seen_until": seen.paid_until_ms, ":seen_outage": seen.outage_ms}


def wallet_write(
    table: str,
    user_id: str,
    expressions: tuple[str, str],
    names: dict[str, str],
    values: dict[str, Any],
    entry: Entry,
) -> Request:
    """Return a conditional update of a wallet that adds `entry`. `expressions` are the update and its condition.

    A refused write returns the item as it was, to be classified.
    """
    update, condition = expressions
    return {
        "TableName": table,
        "Key": to_row({"user_id": user_id}),
        "UpdateExpression": update.strip(),
        "ConditionExpression": condition.strip(),
        "ExpressionAttributeNames": names | {"#e": entry.entry_id},
        "ExpressionAttributeValues": to_row(values) | {":one": to_attribute(1), ":e": entry_attribute(entry)},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
