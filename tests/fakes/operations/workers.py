"""The port `Workers` in memory."""

from chalicelib.domain.operations.workers import Worker
from chalicelib.ports.common import ListPage
from tests.fakes.simple import page_of


class MemoryWorkers:
    def __init__(self) -> None:
        self._rows: dict[str, Worker] = {}

    def report(self, worker: Worker) -> None:
        self._rows[worker.worker_id] = worker

    def leave(self, worker_id: str) -> None:
        self._rows.pop(worker_id, None)

    def list(self, *, limit: int, cursor: str | None) -> ListPage[Worker]:
        return page_of(self._rows.values(), limit, cursor)
