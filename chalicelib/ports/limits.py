"""Token buckets."""

from typing import Protocol

from chalicelib.domain.access.limits import Limit


class Limits(Protocol):
    """Buckets by key, shared by all functions. One that nobody has taken from is full."""

    def take(self, key: str, limit: Limit, now_ms: int) -> int:
        """Take one and answer 0, or take none and answer in how many milliseconds one will be there."""
        ...

    def give_back(self, key: str, limit: Limit) -> None:
        """Undo a `take`. Nothing happens where the bucket has been forgotten since."""
        ...
