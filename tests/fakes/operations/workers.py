"""The port `Workers` in memory."""

import threading

from chalicelib.adapters.dynamodb import from_cursor, to_cursor
from chalicelib.domain.operations.workers import Worker
from chalicelib.ports.common import ListPage


class MemoryWorkers:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, Worker] = {}

    def report(self, worker: Worker) -> None:
        with self._lock:
            self._rows[worker.worker_id] = worker

    def leave(self, worker_id: str) -> None:
        with self._lock:
            self._rows.pop(worker_id, None)

    def list(self, *, limit: int, cursor: str | None) -> ListPage[Worker]:
        with self._lock:
            names = sorted(name for name in self._rows if cursor is None or name > from_cursor(cursor))
            items = [self._rows[name] for name in names[:limit]]
            more = len(names) > limit
            return ListPage(items=items, next_cursor=to_cursor(names[limit - 1]) if more else None)
