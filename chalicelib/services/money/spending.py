"""What viewers spend and get back, as a counter for people. The wallets and their ledgers know it exactly."""

from chalicelib.domain.ids import is_canary
from chalicelib.ports.operations.counters import Counters


def count_spent(counters: Counters, user_id: str, millipoints: int) -> None:
    """Count what a wallet paid or, negative, got back. Synthetic viewers are left out."""
    if not is_canary(user_id):
        counters.add("spent_millipoints", millipoints)
