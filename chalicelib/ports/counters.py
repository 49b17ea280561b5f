"""Counters."""

from collections.abc import Mapping
from typing import Protocol


class Counters(Protocol):
    """Minute counters, folded in the process and flushed now and then, never once a beat."""

    def add(self, name: str, amount: int = 1) -> None:
        """Count.

        Names are `login_failures`, `playback_errors`, `audit_failures`, `spent_millipoints`, `problem.<status>.<code>`.
        """
        ...

    def flush_if_due(self) -> None:
        """Write what has gathered if it is time. Never fails: what could not be written is kept for the next time."""
        ...

    def minutes(self, from_minute: int, to_minute: int) -> Mapping[int, Mapping[str, int]]:
        """The flushed counters of each minute (epoch minutes, both ends included, 60 at most)."""
        ...
