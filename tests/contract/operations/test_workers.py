"""The port `Workers`: the fake and DynamoDB keep the same promises."""

from dataclasses import replace

import pytest

from chalicelib.domain.operations.workers import Worker
from chalicelib.ports.common import all_items
from chalicelib.ports.operations.workers import Workers

ONE = Worker(worker_id="w1", capacity=4, stream_ids=("stream-1", "stream-2"), seen_at_ms=1_800_000_000_000)


workers = pytest.fixture(lambda stores: stores.workers)


def known(workers: Workers) -> list[Worker]:
    found = all_items(workers.list, limit=2)
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
