"""Workers: which are present, their capacity, and why a stream waits for one."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.streams.runtime import Waiting

# Workers report every 5 s; one that is silent for this long is absent.
PRESENT_MS = 20_000
# The start of a stream's error from the moment that it is set live until a worker reports about it.
ABOUT_TO_CLAIM = "a worker is about to claim it"


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker's last report. `capacity` is how many streams it may run, `stream_ids` are those it runs."""

    worker_id: str
    capacity: int
    stream_ids: tuple[str, ...]
    seen_at_ms: int


def is_present(worker: Worker, now_ms: int) -> bool:
    """Return whether the worker has reported recently."""
    return worker.seen_at_ms > now_ms - PRESENT_MS


def why_waiting(present: Sequence[Worker]) -> tuple[Waiting | None, str]:
    """Return why a live stream has no worker, and the same in words. None: a worker is about to claim it."""
    if not present:
        return Waiting.NO_WORKER, "no worker is running"
    held = sum(len(worker.stream_ids) for worker in present)
    capacity = sum(worker.capacity for worker in present)
    if any(len(worker.stream_ids) < worker.capacity for worker in present):
        return None, f"{ABOUT_TO_CLAIM}: {held} of {capacity} streams are running"
    who = "the only worker is" if len(present) == 1 else f"all {len(present)} workers are"
    return Waiting.NO_CAPACITY, f"{who} full: {held} of {capacity} streams"
