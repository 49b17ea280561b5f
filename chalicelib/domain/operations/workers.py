"""Workers: who is there, how much each may run, and so why a stream waits."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.streams.runtime import Waiting

# A worker says every 5 s that it is there; what has been silent for this long is gone.
PRESENT_MS = 20_000


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What a worker said of itself last: `capacity` is how many streams it may run, `stream_ids` are those it runs."""

    worker_id: str
    capacity: int
    stream_ids: tuple[str, ...]
    seen_at_ms: int


def is_present(worker: Worker, now_ms: int) -> bool:
    """Whether it can be counted on."""
    return worker.seen_at_ms > now_ms - PRESENT_MS


def why_waiting(present: Sequence[Worker]) -> tuple[Waiting | None, str]:
    """Why a stream that is wanted live has no worker, and the same in words. None: one of them is about to take it."""
    if not present:
        return Waiting.NO_WORKER, "no worker is running"
    held = sum(len(worker.stream_ids) for worker in present)
    capacity = sum(worker.capacity for worker in present)
    if any(len(worker.stream_ids) < worker.capacity for worker in present):
        return None, f"a worker is about to take it: {held} of {capacity} streams are taken"
    who = "the only worker is" if len(present) == 1 else f"all {len(present)} workers are"
    return Waiting.NO_CAPACITY, f"{who} full: {held} of {capacity} streams"
