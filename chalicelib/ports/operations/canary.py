"""Reports of the canary."""

from typing import Protocol

from chalicelib.domain.operations.canary import CanaryRun
from chalicelib.ports.common import ListPage


class CanaryRuns(Protocol):
    """Runs by time, kept for `KEPT_DAYS`."""

    def add(self, run: CanaryRun) -> None:
        """Store a run."""

    def page(self, *, limit: int, cursor: str | None) -> ListPage[CanaryRun]:
        """Return runs, newest first."""
