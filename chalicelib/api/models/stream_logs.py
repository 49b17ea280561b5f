"""The log of a stream: its runs of ffmpeg, and what the ingest refused."""

from __future__ import annotations

from chalicelib.api.models.common import Answer, ListAnswer
from chalicelib.api.models.streams import RunLogAnswer
from chalicelib.domain.streams.ingest_refusals import RefusalCode


class IngestRefusalAnswer(Answer):
    """Why the RTMP ingest refused or ended senders, and what to do; `count` times, the last at `last_at_ms`.

    After 24 h without a refusal for this reason it is dropped, and the next one begins a new count.
    """

    code: RefusalCode
    detail: str
    count: int
    last_at_ms: int


class StreamLogAnswer(ListAnswer[RunLogAnswer]):
    """The runs of a stream's ffmpegs, and the refusals of the ingest, both newest first."""

    ingest_refusals: list[IngestRefusalAnswer]
