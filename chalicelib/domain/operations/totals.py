"""Totals of the functions' counters: sums without end, which never fall."""

# The totals of a counter's negative amounts. Points that are given back are no reason for a total to fall.
RETURNED = {"spent_millipoints": "returned_millipoints"}


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
