"""Amounts of money. The only unit is the integer millipoint; floats are not used."""

MILLIPOINTS_PER_POINT = 1000
MS_PER_MINUTE = 60_000
# The most a wallet, a payment or a rate may hold: far from DynamoDB's 38 digits, and exact in any JSON reader (2**53).
MILLIPOINTS_MAX = 1_000_000_000_000


def lease_charge(rate_millipoints_per_minute: int, lease_ms: int) -> int:
    """Return the charge of a lease in millipoints, rounded up: `ceil(rate * lease / 60 000)`."""
    return -(-rate_millipoints_per_minute * lease_ms // MS_PER_MINUTE)


def affordable_ms(available_millipoints: int, rate_millipoints_per_minute: int) -> int:
    """Return how long an amount lasts in milliseconds, rounded down but at least 1."""
    return max(1, available_millipoints * MS_PER_MINUTE // rate_millipoints_per_minute)


def refund(rate_millipoints_per_minute: int, unserved_ms: int, charged_millipoints: int) -> int:
    """Return the refund for unserved paid time in millipoints, rounded down and at most what was charged."""
    return min(charged_millipoints, rate_millipoints_per_minute * max(0, unserved_ms) // MS_PER_MINUTE)
