"""Hints to workers in SQS. A message is `{"stream_id": …}`; others are dropped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from chalicelib.adapters.aws import client, translated
from chalicelib.domain.ids import STREAM_ID
from chalicelib.ports.streams.streams import Hint, QueueDepths

RECEIVE_MAX = 10
WAIT_S_MAX = 20
# Messages that were received too often go to the queue of this name, where people can look at them.
DEAD_QUEUE_SUFFIX = "-dead"
DEPTH = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


class SqsWorkQueue:
    """The port `WorkQueue` over one queue, found by its name at first use."""

    def __init__(self, queue_name: str) -> None:
        self._name = queue_name

    @cached_property
    def _url(self) -> str:
        return _url_of(self._name)

    @cached_property
    def _dead_url(self) -> str:
        return _url_of(self._name + DEAD_QUEUE_SUFFIX)

    def send(self, stream_id: str) -> None:
        with translated():
            client("sqs").send_message(QueueUrl=self._url, MessageBody=json.dumps({"stream_id": stream_id}))

    def receive(self, wait_s: int) -> Sequence[Hint]:
        with translated():
            answer = client("sqs").receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=RECEIVE_MAX, WaitTimeSeconds=min(wait_s, WAIT_S_MAX)
            )
        hints = []
        for message in answer.get("Messages", []):
            stream_id = _stream_id(message)
            if stream_id is None:
                self.done(Hint(stream_id="", receipt=message["ReceiptHandle"]))
            else:
                hints.append(Hint(stream_id=stream_id, receipt=message["ReceiptHandle"]))
        return hints

    def done(self, hint: Hint) -> None:
        with translated():
            client("sqs").delete_message(QueueUrl=self._url, ReceiptHandle=hint.receipt)

    def depths(self) -> QueueDepths:
        return QueueDepths(waiting=_depth(self._url), dead=_depth(self._dead_url))


def _url_of(name: str) -> str:
    with translated():
        return str(client("sqs").get_queue_url(QueueName=name)["QueueUrl"])


def _depth(url: str) -> int:
    with translated():
        answer = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=DEPTH)
    return sum(int(answer["Attributes"][name]) for name in DEPTH)


def _stream_id(message: dict[str, Any]) -> str | None:
    try:
        stream_id = json.loads(message["Body"])["stream_id"]
    except (ValueError, KeyError, TypeError):
        return None
    return stream_id if isinstance(stream_id, str) and STREAM_ID.fullmatch(stream_id) else None
