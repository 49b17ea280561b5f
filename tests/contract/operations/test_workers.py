"""The port `Workers`: the fake and DynamoDB keep the same promises."""

from dataclasses import replace

import pytest

from chalicelib.domain.operations.workers import Worker
from chalicelib.ports.workers import Workers
from tests.fakes.operations.workers import MemoryWorkers

ONE = Worker(worker_id="w1", capacity=4, stream_ids=("stream-1", "stream-2"), seen_at_ms=1_800_000_000_000)


@pytest.fixture(params=["memory", "dynamodb"])
def workers(request: pytest.FixtureRequest) -> Workers:
    if request.param == "memory":
        return MemoryWorkers()
    from chalicelib.adapters.operations.dynamodb_workers import DynamoWorkers

    return DynamoWorkers(request.getfixturevalue("settings").table_prefix)


def known(workers: Workers) -> list[Worker]:
    found, cursor = [], None
    while True:
        page = workers.list(limit=2, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return sorted(found, key=lambda worker: worker.worker_id)


def test_a_worker_is_known_as_it_spoke_last_until_it_leaves(workers: Workers) -> None:
    assert known(workers) == []
    workers.report(ONE)
    later = replace(ONE, stream_ids=(), seen_at_ms=ONE.seen_at_ms + 5_000)
    workers.report(later)
    assert known(workers) == [later]
    workers.leave("w1")
    workers.leave("w1")
    assert known(workers) == []


def test_all_are_listed_page_by_page(workers: Workers) -> None:
    reported = [replace(ONE, worker_id=f"w{number}") for number in range(5)]
    for worker in reported:
        workers.report(worker)
    assert known(workers) == reported
