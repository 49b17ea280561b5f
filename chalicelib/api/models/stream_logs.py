"""The log of a stream: encoder runs, and senders that the ingest rejected."""

from __future__ import annotations

from chalicelib.api.models.common import Answer, ListAnswer
from chalicelib.api.models.streams import RunLogAnswer
from chalicelib.domain.streams.ingest_refusals import RefusalCode


class IngestRefusalAnswer(Answer):
    """Why the RTMP ingest rejected or disconnected senders, `count` times, last at `last_at_ms`.

    `detail` also says what to do. A reason is dropped after 24 h without a rejection.
    """

    code: RefusalCode
    detail: str
    count: int
    last_at_ms: int


class StreamLogAnswer(ListAnswer[RunLogAnswer]):
    """The encoder runs of a stream and the rejections of its ingest, both newest first."""

    ingest_refusals: list[IngestRefusalAnswer]
