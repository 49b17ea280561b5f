"""The port `WorkQueue`: the fake and SQS."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.adapters import aws
from chalicelib.adapters.streams.sqs_work import SqsWorkQueue
from chalicelib.config import Settings
from chalicelib.ports.streams.streams import QueueDepths, WorkQueue

work = pytest.fixture(lambda stores: stores.queue)


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


def test_an_empty_queue_is_waited_on_and_what_is_done_does_not_come_back(work: WorkQueue) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(work.receive, 5)
        time.sleep(0.3)
        work.send("stream-1")
        [hint] = waiting.result()
    assert hint.stream_id == "stream-1", "it was sent while it was waited for"
    work.done(hint)
    assert list(work.receive(0)) == []


def test_messages_are_counted_until_they_are_done(work: WorkQueue) -> None:
    before = work.depths()
    work.send("stream-1")
    assert work.depths() == QueueDepths(waiting=before.waiting + 1, dead=before.dead)
    [hint] = work.receive(1)
    assert work.depths().waiting == before.waiting + 1, "received, and not done"
    work.done(hint)
    assert work.depths() == before


def test_messages_that_are_none_of_ours_are_dropped(settings: Settings) -> None:
    work = SqsWorkQueue(settings.work_queue)
    url = aws.client("sqs").get_queue_url(QueueName=settings.work_queue)["QueueUrl"]
    for body in ("nonsense", "[]", '{"stream_id": 7}', '{"stream_id": "../etc"}', '{"other": "x"}'):
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    work.send("stream-1")
    assert received(work, 1) == ["stream-1"]
    left = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (left["ApproximateNumberOfMessages"], left["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")
