"""Reports that this worker is there, and what it runs."""

import logging
from collections.abc import Iterable

from chalicelib.domain.operations.workers import Worker
from chalicelib.ports.common import Clock, StoreUnavailable
from chalicelib.ports.operations.workers import Workers
from worker.config import WorkerConfig

log = logging.getLogger(__name__)

INTERVAL_S = 5.0


class Presence:
    """The reporter of this worker. Used by the agent's thread. Its failures never affect the streams."""

    def __init__(self, workers: Workers, clock: Clock, config: WorkerConfig) -> None:
        self._workers = workers
        self._clock = clock
        self._config = config
        self._reported_ids: tuple[str, ...] | None = None
        self._due_s = 0.0

    def report_if_due(self, now_s: float, stream_ids: Iterable[str]) -> None:
        """Report every few seconds, and at every change. Raise `StoreUnavailable`; an interval later it tries again."""
        running_ids = tuple(sorted(stream_ids))
        if running_ids == self._reported_ids and now_s < self._due_s:
            return
        self._reported_ids, self._due_s = running_ids, now_s + INTERVAL_S
        self._workers.report(
            Worker(
                worker_id=self._config.worker_id,
                capacity=self._config.capacity,
                stream_ids=running_ids,
                seen_at_ms=self._clock.now_ms(),
            )
        )

    def leave(self) -> None:
        """Report that this worker takes no streams any more. If that fails, its silence shows it."""
        try:
            self._workers.leave(self._config.worker_id)
        except StoreUnavailable as error:
            log.warning("a store is unavailable", extra={"error": str(error)})
