"""The workers that are present, for operators and for the controller."""

from dataclasses import replace

from chalicelib.domain.operations.workers import Worker, is_present
from chalicelib.ports.common import Clock, ListPage, all_items
from chalicelib.ports.operations.workers import Workers

WORKERS_PER_PAGE = 200


class WorkersService:
    """Lists workers without silent ones."""

    def __init__(self, workers: Workers, clock: Clock) -> None:
        self._workers = workers
        self._clock = clock

    def listing(self, *, limit: int, cursor: str | None) -> ListPage[Worker]:
        """Return a page of present workers."""
        page = self._workers.list(limit=limit, cursor=cursor)
        now_ms = self._clock.now_ms()
        return replace(page, items=[worker for worker in page.items if is_present(worker, now_ms)])

    def present(self) -> list[Worker]:
        """Return all present workers."""
        return list(all_items(self.listing, limit=WORKERS_PER_PAGE))
