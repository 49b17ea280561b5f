"""Workers."""

from __future__ import annotations

from chalicelib.api.models.common import Answer


class WorkerAnswer(Answer):
    """A worker: how many streams it may run, which it runs, and when it said so."""

    worker_id: str
    capacity: int
    stream_ids: list[str]
    seen_at_ms: int
