"""Presence of workers."""

from typing import Protocol

from chalicelib.domain.operations.workers import Worker
from chalicelib.ports.common import ListPage


class Workers(Protocol):
    """The workers' reports. A report expires some time after the last one."""

    def report(self, worker: Worker) -> None:
        """Store a worker's report, replacing the one before."""

    def leave(self, worker_id: str) -> None:
        """Delete a worker. Does nothing if it is unknown."""

    def list(self, *, limit: int, cursor: str | None) -> ListPage[Worker]:
        """Return all known workers, silent ones too, in no order, by a consistent read."""
