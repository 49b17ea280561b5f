"""The port `WorkQueue`: the fake and SQS."""

import time

import pytest

from chalicelib.ports.streams import WorkQueue
from tests.fakes.streams.work_queue import MemoryWorkQueue


@pytest.fixture(params=["memory", "sqs"])
def work(request: pytest.FixtureRequest) -> WorkQueue:
    if request.param == "memory":
        return MemoryWorkQueue()
    from chalicelib.adapters.streams.sqs_work import SqsWorkQueue

    return SqsWorkQueue(request.getfixturevalue("settings").work_queue)


def received(work: WorkQueue, count: int) -> list[str]:
    """At least once and in any order: so many hints within some polls."""
    names: list[str] = []
    for _ in range(10):
        for hint in work.receive(1):
            names.append(hint.stream_id)
            work.done(hint)
        if len(names) >= count:
            break
    return names


def test_hints_arrive(work: WorkQueue) -> None:
    for number in range(3):
        work.send(f"stream-{number}")
    assert set(received(work, 3)) == {"stream-0", "stream-1", "stream-2"}


def test_an_empty_queue_is_waited_on_and_then_empty(work: WorkQueue) -> None:
    started = time.monotonic()
    assert list(work.receive(1)) == []
    assert 0.8 < time.monotonic() - started < 10


def test_what_is_done_does_not_come_back(work: WorkQueue) -> None:
    work.send("stream-1")
    assert received(work, 1) == ["stream-1"]
    assert list(work.receive(0)) == []


def test_messages_that_are_none_of_ours_are_dropped(request: pytest.FixtureRequest) -> None:
    from chalicelib.adapters import aws
    from chalicelib.adapters.streams.sqs_work import SqsWorkQueue

    queue_name = request.getfixturevalue("settings").work_queue
    work = SqsWorkQueue(queue_name)
    url = aws.client("sqs").get_queue_url(QueueName=queue_name)["QueueUrl"]
    for body in ("nonsense", "[]", '{"stream_id": 7}', '{"stream_id": "../etc"}', '{"other": "x"}'):
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    work.send("stream-1")
    assert received(work, 1) == ["stream-1"]
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "0"
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
