"""Who is there to run streams."""

from typing import Protocol

from chalicelib.domain.operations.workers import Worker
from chalicelib.ports.common import ListPage


class Workers(Protocol):
    """What workers say of themselves; it is forgotten some time after a worker has fallen silent."""

    def report(self, worker: Worker) -> None:
        """The worker is there; replaces what it said before."""
        ...

    def leave(self, worker_id: str) -> None:
        """The worker is gone. Nothing happens if it was not known."""
        ...

    def list(self, *, limit: int, cursor: str | None) -> ListPage[Worker]:
        """All that are known, silent ones too, in no order. A consistent read."""
        ...
