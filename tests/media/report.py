"""The table that an operator reads."""

from collections.abc import Sequence

from tests.media.inputs.table import SUBJECTS
from tests.media.trying import Outcome

NAME_WIDTH = max(len(item.name) for items in SUBJECTS.values() for item in items)
FAULTS_MAX, FAULT_CHARS = 6, 150
HEAD = f"{'input':{NAME_WIDTH}}  result  {'paid':>5} {'worth':>6}  figure"


def row(outcome: Outcome) -> str:
    """Return a line for an input, and a line for each of its faults."""
    result = outcome.result
    mark = "right" if result.is_right else "WRONG"
    paid = f"{outcome.paid_points:5.1f} {result.worth_s:5.1f}s" if outcome.paid_points else f"{'-':>5} {'-':>6}"
    faults = [f"{'':{NAME_WIDTH}}    {fault[:FAULT_CHARS]}" for fault in result.faults[:FAULTS_MAX]]
    return "\n".join([f"{outcome.item.name:{NAME_WIDTH}}  {mark}    {paid}  {result.figure}", *faults])


def summary(outcomes: Sequence[Outcome], took_s: float) -> str:
    """Return the last line: how many are right, and what all viewers paid for what was worth seeing."""
    right = sum(outcome.result.is_right for outcome in outcomes)
    paid, worth = sum(each.paid_points for each in outcomes), sum(each.result.worth_s for each in outcomes)
    money = f"{paid:.0f} points paid for {worth:.0f} s worth seeing"
    return f"{right} of {len(outcomes)} inputs are right; {money}; {took_s:.0f} s"


def listed() -> str:
    """Return all inputs by subject, with their purposes."""
    lines = []
    for subject, items in SUBJECTS.items():
        lines += [
            f"{subject} ({len(items)})",
            *(f"  {item.name:{NAME_WIDTH}}  {item.feed:4}  {item.about}" for item in items),
        ]
    return "\n".join(lines)
