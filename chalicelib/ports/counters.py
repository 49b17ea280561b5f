"""Minute counters."""

from collections.abc import Mapping
from typing import Protocol


class Counters(Protocol):
    """Minute counters, summed in the process and flushed now and then, not at every heartbeat."""

    def add(self, name: str, amount: int = 1) -> None:
        """Add to a counter.

        Names are `login_failures`, `playback_errors`, `audit_failures`, `spent_millipoints`, `problem.<status>.<code>`.
        """

    def flush_if_due(self) -> None:
        """Write the sums if it is time. Never fails: what could not be written stays for the next time."""

    def minutes(self, from_minute: int, to_minute: int) -> Mapping[int, Mapping[str, int]]:
        """Return the flushed counters of each epoch minute, both ends included, at most 60."""
