"""Workers in DynamoDB: one row each, which expires some time after its worker's last report."""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.dynamodb import call, known, page_of
from chalicelib.domain.operations.workers import PRESENT_MS, Worker
from chalicelib.ports.common import ListPage

KEPT_S = 10 * PRESENT_MS // 1000


class DynamoWorkers:
    """The port `Workers` over the table `workers`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "workers"

    def report(self, worker: Worker) -> None:
        item = {**vars(worker), "expires_at_s": worker.seen_at_ms // 1000 + KEPT_S}
        call("put_item", self._table, item=item)

    def leave(self, worker_id: str) -> None:
        call("delete_item", self._table, key={"worker_id": worker_id})

    def list(self, *, limit: int, cursor: str | None) -> ListPage[Worker]:
        request = {"TableName": self._table, "Limit": limit, "ConsistentRead": True}
        return page_of("scan", request, cursor, _worker, position=("worker_id",))


def _worker(row: dict[str, Any]) -> Worker:
    return Worker(**{**known(Worker, row), "stream_ids": tuple(row["stream_ids"])})
