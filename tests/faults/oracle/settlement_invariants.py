"""The invariants of settlements and debts. `every_line_follows_the_rules` checks the amounts."""

from collections import Counter
from collections.abc import Iterator

from tests.faults.harness.operations import Refusal
from tests.faults.oracle.registry import Case, invariant


@invariant
def a_session_is_settled_once(case: Case) -> Iterator[str]:
    """A session has at most one line of its settlement, exactly if its record is marked with an amount."""
    lines = Counter(e.session_id for e in case.view.entries if e.kind.value in ("served_ahead", "unserved_credit"))
    yield from (f"{session_id}: {n} settlements" for session_id, n in lines.items() if n > 1)
    for session_id, record in case.view.records.items():
        if bool(record.settled_millipoints) != bool(lines[session_id]):
            yield f"{session_id} is settled with {record.settled_millipoints}, and has {lines[session_id]} lines"
        if record.settled_at_ms is not None and (record.active or record.rate_millipoints_per_minute == 0):
            yield f"{session_id} is settled, and is active or free"


@invariant
def a_debt_is_what_settlements_left(case: Case) -> Iterator[str]:
    """The debt of a wallet is what its settlements could not take, without what starts have paid of it."""
    wallet, possible = case.view.wallet, case.replayed.debts.possible
    if wallet.debt_millipoints not in possible and not (case.viewer.erased and wallet.debt_millipoints == 0):
        yield f"the wallet has a debt of {wallet.debt_millipoints}, its lines make {sorted(possible)}"
    if wallet.debt_waived and not case.viewer.erased:
        yield "the debt is waived, and the account is not erased"


@invariant
def a_start_is_refused_for_a_debt_beyond_the_balance_only(case: Case) -> Iterator[str]:
    """A start that is refused with `debt_open` met a debt that the balance could not pay."""
    replayed = case.replayed
    beyond = any(max(replayed.debts_after[n]) > balance for n, balance in replayed.balance_after.items())
    for operation in case.viewer.of("start"):
        if isinstance(operation.answer, Refusal) and operation.answer.code == "debt_open" and not beyond:
            yield f"{operation.key} was refused, and no debt was beyond the balance"
