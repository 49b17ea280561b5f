"""The price of the sessions of a long run."""

from dataclasses import dataclass

MS_PER_MINUTE = 60_000
HORIZON_MS_MAX = 5_000


@dataclass(frozen=True)
class LeaseTerms:
    """The rate and the lease of a stream, without caps or maxima."""

    stream_id: str
    rate_millipoints_per_minute: int
    lease_ms: int

    @property
    def charge_millipoints(self) -> int:
        """The price of a whole lease: `ceil(rate * lease / 60 000)`."""
        return -(-self.rate_millipoints_per_minute * self.lease_ms // MS_PER_MINUTE)

    @property
    def ahead_ms(self) -> int:
        """Return how far beyond now a session may have paid: horizon and lease."""
        return min(self.lease_ms // 2, HORIZON_MS_MAX) + self.lease_ms
