"""Known bugs of settlements and debts."""

from tests.faults.mutants.mutant import (
    OPENER,
    RECONCILIATION,
    SETTLEMENT,
    SETTLEMENT_WRITES,
    SETTLEMENTS,
    WALLETS,
    WRITES,
    Mutant,
    steps,
)

AT_RULES = ("tests/unit/money/test_settlement.py",)
AT_SETTLING = ("tests/contract/money/test_settling.py", "-k", "aws")
AT_RUNS = ("tests/contract/money/test_settling_runs.py",)
AT_WRITES = ("tests/contract/money/test_settlements.py", "tests/contract/money/test_debts.py", "-k", "aws")

OWN_AND_SERVED = "if ahead_ms > 0 and record.end_reason in VIEWERS_OWN and not record.in_outage:"
ONCE = 'condition="attribute_not_exists(settled_at_ms) AND charged_millipoints = :charged"\n        " AND adjusted'
AS_ADJUSTED = '"\n        " AND adjusted_millipoints = :adjusted",'
CHARGED = '            ":charged": record.charged_millipoints,\n'
ADJUSTED = '            ":adjusted": record.adjusted_millipoints,\n'

MUTANTS_OF_SETTLING = {
    "settling: served-ahead is ignored": Mutant(
        SETTLEMENT, OWN_AND_SERVED, "if False:", steps("fault and served and time")
    ),
    "settling: a session is charged twice": Mutant(
        SETTLEMENT_WRITES,
        ONCE,
        'condition="adjusted',
        steps("between and settlement and served"),
        also=((SETTLEMENT_WRITES, CHARGED, ""),),
    ),
    "settling: a session is charged after a kick": Mutant(
        SETTLEMENT, OWN_AND_SERVED, "if ahead_ms > 0 and not record.in_outage:", AT_SETTLING
    ),
    "settling: a session is charged after an end in an outage": Mutant(
        SETTLEMENT, OWN_AND_SERVED, "if ahead_ms > 0 and record.end_reason in VIEWERS_OWN:", AT_RULES
    ),
    "settling: what was not served is kept within a segment": Mutant(
        SETTLEMENT, "if short_ms > 0:", "if short_ms > 2_000:", AT_RULES
    ),
    "settling: a debt is forgotten at the next start": Mutant(
        OPENER,
        "debt = wallet.debt_millipoints if record.rate_millipoints_per_minute else 0",
        "debt = 0",
        steps("fault and start and with and debt"),
        also=((WRITES, 'condition += " AND attribute_not_exists(db)" if charge else ""', "pass"),),
    ),
    "settling: a start pays a debt that another one has paid": Mutant(
        WRITES, 'f"{condition} AND db = :debt"', "condition", AT_WRITES
    ),
    "settling: a credit is made twice": Mutant(
        WALLETS,
        "self._transact(settlement(self._table, seen, entry, written), mark)",
        "self._transact(settlement(self._table, seen, entry, written))\n                transact(mark)",
        steps("death and unserved"),
    ),
    "settling: a session that is not measured is credited": Mutant(
        RECONCILIATION,
        "entries, (served or Served()) if is_measured else None)",
        "entries, served or Served())",
        AT_RUNS,
    ),
    "settling: a session whose log is not complete is settled": Mutant(
        RECONCILIATION, "can_settle = state is not Measurement.PENDING and", "can_settle =", AT_RUNS
    ),
    "settling: a credit is more than the session's cost": Mutant(
        SETTLEMENT, "max(0, paid - record.adjusted_millipoints)", "paid", AT_SETTLING
    ),
    "settling: a settlement ignores an adjustment": Mutant(
        SETTLEMENT_WRITES,
        AS_ADJUSTED,
        '",',
        steps("between and settlement and unserved"),
        also=((SETTLEMENT_WRITES, ADJUSTED, ""),),
    ),
    "settling: a debt is made though the balance could pay": Mutant(
        SETTLEMENT_WRITES,
        'EMPTIES = "balance_millipoints = :paid AND',
        'EMPTIES = "balance_millipoints >= :paid AND',
        AT_WRITES,
    ),
    "settling: an erased account gets a debt": Mutant(
        SETTLEMENT_WRITES, ' AND attribute_not_exists(dw)"', '"', AT_WRITES
    ),
    "settling: a reserve never comes back": Mutant(
        SETTLEMENT,
        "Settlement(millipoints=max(0, min(record.reserved_millipoints or 0, cost)))",
        "Settlement(millipoints=0 * cost)",
        AT_SETTLING,
    ),
    "settling: a reserve is kept where there are no credits": Mutant(
        SETTLEMENT, "reserve = record.reserved_millipoints or 0", "reserve = 0", AT_SETTLING
    ),
    "settling: the daily maximum of credits is ignored": Mutant(
        SETTLEMENTS, "most = self._rules.per_day_millipoints or MILLIPOINTS_MAX", "most = MILLIPOINTS_MAX", AT_SETTLING
    ),
    "settling: two credits at once pass the daily maximum": Mutant(
        SETTLEMENT_WRITES,
        "(cd = :day AND cs = :seen_sum))",
        "(cd = :day AND cs >= :seen_sum))",
        AT_WRITES,
    ),
    "settling: a charge passes the day's cap by what another session bought": Mutant(
        SETTLEMENT_WRITES, "[WITHIN_DAY] * (written.day_millipoints > 0)", "[WITHIN_DAY] * 0", AT_WRITES
    ),
    "settling: a session costs its settlement in its record only": Mutant(
        SETTLEMENT_WRITES,
        "SET balance_millipoints = balance_millipoints + :delta, dl = dl - :charge, jd.#e = :delta, {JOURNAL}",
        "SET dl = dl - :charge, jd.#e = :delta, {JOURNAL}",
        steps("fault and served and time"),
    ),
}
