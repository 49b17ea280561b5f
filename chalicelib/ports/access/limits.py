"""Token buckets."""

from typing import Protocol

from chalicelib.domain.access.limits import Limit


class Limits(Protocol):
    """Token buckets by key, shared by all functions. Unused buckets are full."""

    def take(self, key: str, limit: Limit, now_ms: int) -> int:
        """Take a token and return 0, or take none and return the milliseconds until one is available."""

    def give_back(self, key: str, limit: Limit) -> None:
        """Undo a `take`. Does nothing if the bucket was deleted since."""
