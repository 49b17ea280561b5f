"""The expressions that change a wallet. The item is described in `wallet_item.py`.

Path is reckoned against path (`balance - ss.#s.c`), so the common heartbeat needs nothing known beforehand but user,
session and seq. A shorter name here is a smaller request at every beat.
"""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.dynamodb import to_attribute, to_row
from chalicelib.adapters.wallet_item import entry_attribute
from chalicelib.domain.wallets import Entry

# Every change of a wallet sets these three for its entry and counts the version; the delta differs.
JOURNAL = "version = version + :one, jv.#e = version + :one, j.#e = :e"

BUY_ON_TIME = f"""
SET balance_millipoints = balance_millipoints - ss.#s.c, jd.#e = :zero - ss.#s.c,
    ss.#s.q = :seq, ss.#s.chg = ss.#s.chg + ss.#s.c, ss.#s.bud = ss.#s.bud - ss.#s.c,
    ss.#s.pu = ss.#s.pu + ss.#s.l, ss.#s.bf = ss.#s.bf + ss.#s.l, ss.#s.gr = ss.#s.gr + ss.#s.l, {JOURNAL}
"""
ON_TIME = """
ss.#s.q < :seq AND ss.#s.bf <= :now AND ss.#s.pu >= :now
AND balance_millipoints >= ss.#s.c AND ss.#s.bud >= ss.#s.c AND size(j) < :cap
"""
BUY = f"""
SET balance_millipoints = balance_millipoints - :charge, jd.#e = :delta,
    ss.#s.q = :seq, ss.#s.chg = ss.#s.chg + :charge, ss.#s.bud = ss.#s.bud - :charge,
    ss.#s.pu = :until, ss.#s.bf = :from, ss.#s.gr = ss.#s.gr + :granted, ss.#s.ff = :ff, ss.#s.fu = :fu, {JOURNAL}
"""
AS_SEEN = "ss.#s.q = :seen_seq AND ss.#s.pu = :seen_until"
COVERED = "balance_millipoints >= :charge AND ss.#s.bud >= :charge AND size(j) < :cap"
# A shorter lease is only sold for the exact rest: of the balance, or of the session's own maximum.
EXACT_REST = "(balance_millipoints = :charge OR ss.#s.bud = :charge)"
START = f"SET balance_millipoints = balance_millipoints - :charge, ss.#s = :session, jd.#e = :delta, {JOURNAL}"
END = f"SET balance_millipoints = balance_millipoints + :delta, jd.#e = :delta, {JOURNAL} REMOVE ss.#s"
PAY = f"SET balance_millipoints = balance_millipoints + :delta, jd.#e = :delta, {JOURNAL}"


def write(
    table: str,
    user_id: str,
    expressions: tuple[str, str],
    names: dict[str, str],
    values: dict[str, Any],
    entry: Entry,
) -> dict[str, Any]:
    """A conditional update of a wallet that adds `entry`; `expressions` are the update and its condition.

    A refusal brings the item as it stood, to be classified from.
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
