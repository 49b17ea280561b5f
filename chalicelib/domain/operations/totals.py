"""The functions' counters as totals, which never fall, and as metrics that are embedded in the log."""

from collections import Counter
from collections.abc import Mapping

from chalicelib.domain.money.cut_offs import BOUNDS_MS, COUNTED
from chalicelib.domain.money.points import MILLIPOINTS_PER_POINT

# The totals of a counter's negative amounts. Points that are given back are no reason for a total to fall.
RETURNED = {"spent_millipoints": "returned_millipoints"}
PLAIN = ("login_failures", "playback_errors", "audit_failures")
PROBLEM = "problem"
CANARY = "canary"
SLOW_CUT_OFF_MS = 5_000


def rise_of(name: str, amount: int) -> tuple[str, int]:
    """Return the total that an amount of a counter raises, and by how much.

    Raise `ValueError` for a negative amount of a counter that only rises.
    """
    if amount >= 0:
        return name, amount
    if name not in RETURNED:
        raise ValueError(f"the counter {name} cannot fall by {-amount}")
    return RETURNED[name], -amount


def group_of(name: str) -> str:
    """Return the group of a total: the part of its name before a dot, or an empty text.

    The store keeps a row for each group, so that the counters of every heartbeat are in a row of less than 1 KB.
    """
    group, dot, _ = name.partition(".")
    return group if dot else ""


def embedded_of(counts: Mapping[str, int]) -> Mapping[str, float]:
    """Return the counts of a flush as metrics for CloudWatch, without those that are 0.

    Error codes, end reasons and buckets are summed, since each combination would be a metric that costs money.
    """
    found: Counter[str] = Counter({name: counts.get(name, 0) for name in PLAIN})
    for name, count in counts.items():
        kind, *parts = name.split(".")
        if kind == PROBLEM:
            found[f"problems_{parts[0][0]}xx"] += count
        if kind == COUNTED:
            found["cut_offs"] += count
            found["cut_offs_above_5s"] += count if int(parts[1]) > BOUNDS_MS.index(SLOW_CUT_OFF_MS) else 0
        if kind == CANARY:
            found[f"canary_{parts[0]}"] += count
    spent = {"points_spent": counts.get("spent_millipoints", 0) / MILLIPOINTS_PER_POINT}
    return {name: value for name, value in {**found, **spent}.items() if value}
