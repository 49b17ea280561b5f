"""The port `Workers`: the fake and DynamoDB keep the same promises."""

from dataclasses import replace

import pytest

from chalicelib.adapters.operations.dynamodb_workers import DynamoWorkers
from chalicelib.config import Settings
from chalicelib.domain.operations.workers import Worker
from chalicelib.ports.workers import Workers
from tests.contract.conftest import all_items
from tests.fakes.operations.workers import MemoryWorkers

ONE = Worker(worker_id="w1", capacity=4, stream_ids=("stream-1", "stream-2"), seen_at_ms=1_800_000_000_000)


@pytest.fixture
def workers(stage: Settings | None) -> Workers:
    return DynamoWorkers(stage.table_prefix) if stage else MemoryWorkers()


def known(workers: Workers) -> list[Worker]:
    found = all_items(lambda cursor: workers.list(limit=2, cursor=cursor))
    return sorted(found, key=lambda worker: worker.worker_id)


def test_workers_are_listed_as_they_reported_last_until_they_leave(workers: Workers) -> None:
    assert known(workers) == []
    workers.report(ONE)
    later = replace(ONE, stream_ids=(), seen_at_ms=ONE.seen_at_ms + 5_000)
    workers.report(later)
    assert known(workers) == [later]
    workers.leave("w1")
    workers.leave("w1")
    assert known(workers) == []
    reported = [replace(ONE, worker_id=f"w{number}") for number in range(5)]
    for worker in reported:
        workers.report(worker)
    assert known(workers) == reported
