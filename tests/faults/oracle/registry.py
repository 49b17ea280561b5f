"""The registry of invariants.

An invariant is a function with `@invariant` in one of the modules `*_invariants.py`. It gets the
operations of a viewer, the view of them in the store, and their replayed ledger. It runs after every step of the state
machine and after every round.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.faults.harness.operations import View, Viewer
from tests.faults.oracle.replay import ReplayedLedger, replay


@dataclass(frozen=True)
class Case:
    """A viewer to check."""

    viewer: Viewer
    view: View
    replayed: ReplayedLedger


Check = Callable[[Case], Iterator[str]]
INVARIANTS: list[Check] = []
check_counts: Counter[str] = Counter()


def invariant(check: Check) -> Check:
    """Register an invariant."""
    INVARIANTS.append(check)
    return check


def find_violations(viewer: Viewer, view: View) -> list[str]:
    """Return the violations of a viewer, each with the name of its invariant."""
    leases = [operation.lease for operation in viewer.operations if operation.lease]
    answered = {(lease.session_id, lease.seq): lease.paid_until_ms for lease in leases}
    replayed = replay(view.entries, view.records, view.terms, view.outages, viewer.cap, answered, view.settling)
    case = Case(viewer, view, replayed)
    found = []
    for check in INVARIANTS:
        check_counts[check.__name__] += 1
        found += [f"{check.__name__}: {what} [{viewer.user_id}]" for what in check(case)]
    return found
