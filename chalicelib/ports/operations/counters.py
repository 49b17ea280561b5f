"""Minute counters, the totals of the same counts, and gauges that schedules set."""

from collections.abc import Mapping
from typing import Protocol


class Counters(Protocol):
    """Counters by minute and as totals, summed in the process and flushed now and then, not at every heartbeat.

    Totals have no end and never fall: a restart continues them, and negative amounts have totals of their own
    (`domain.operations.totals`). Counts that were not flushed are lost with their process; no reader has seen them.
    """

    def add(self, name: str, amount: int = 1) -> None:
        """Add to a counter.

        Names are `login_failures`, `playback_errors`, `audit_failures`, `spent_millipoints`, `problem.<status>.<code>`,
        `canary.ok`, `canary.failed`, `cut_off.<end reason>.<bucket>` and `cut_off_ms.<end reason>`.
        """

    def flush_if_due(self) -> None:
        """Write the sums if it is time. Never fails: what could not be written stays for the next time."""

    def flush(self) -> None:
        """Write the sums now, at the end of a scheduled run. Never fails, as `flush_if_due`."""

    def totals(self) -> Mapping[str, int]:
        """Return the totals by a consistent read, with what this process has not flushed yet.

        A total that was returned once is never returned smaller.
        """

    def set_gauge(self, name: str, value: int) -> None:
        """Store a value that a schedule has measured: `ledger_pages_behind`."""

    def gauges(self) -> Mapping[str, int]:
        """Return the stored values by a consistent read. Values that were never set are missing."""

    def minutes(self, from_minute: int, to_minute: int) -> Mapping[int, Mapping[str, int]]:
        """Return the flushed counters of each epoch minute, both ends included, at most 60."""
