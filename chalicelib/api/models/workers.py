"""Workers."""

from __future__ import annotations

from chalicelib.api.models.common import Answer


class WorkerAnswer(Answer):
    """A worker: its capacity, its streams, and when it last reported."""

    worker_id: str
    capacity: int
    stream_ids: list[str]
    seen_at_ms: int
