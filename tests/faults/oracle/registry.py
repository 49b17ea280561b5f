"""Judging one viewer: every invariant gets the viewer's deeds (what was asked and answered), the store's view of that
viewer, and its ledger replayed by the rules.

To add an invariant, write a function in `invariants.py` or `books.py` and mark it with `@invariant`; it is then checked
after every operation of the state machine and after every round of the crowd, and counted.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.faults.harness.operations import View, Viewer
from tests.faults.oracle.replay import Replayed, replay


@dataclass(frozen=True)
class Case:
    """One viewer to be judged."""

    viewer: Viewer
    view: View
    replayed: Replayed


Check = Callable[[Case], Iterator[str]]
INVARIANTS: list[Check] = []
checked: Counter[str] = Counter()


def invariant(check: Check) -> Check:
    """Mark a function as one that is checked always."""
    INVARIANTS.append(check)
    return check


def violations(viewer: Viewer, view: View) -> list[str]:
    """Everything that is broken about a viewer, each with the name of its invariant."""
    told = {(deed.sold.session_id, deed.sold.seq): deed.sold.paid_until_ms for deed in viewer.deeds if deed.sold}
    case = Case(viewer, view, replay(view.entries, view.records, view.terms, view.outages, viewer.cap, told))
    found = []
    for check in INVARIANTS:
        checked[check.__name__] += 1
        found += [f"{check.__name__}: {what} [{viewer.user_id}]" for what in check(case)]
    return found
