"""Streams, their runtime, and hints to workers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.streams.runtime import Claim, Runtime, RuntimeState, Waiting
from chalicelib.domain.streams.stream import Stream
from chalicelib.ports.common import ListPage


class Streams(Protocol):
    """Streams with their settings. Each SRT port (`Stream.srt_port`) belongs to at most one."""

    def add(self, stream: Stream) -> None:
        """Add a stream. Raise `StreamExists`, `IngestPortTaken`, or `RowRefused` after a concurrent write."""

    def get(self, stream_id: str) -> Stream | None:
        """Return a stream, also an archived one, by a consistent read."""

    def list(self, *, limit: int, cursor: str | None) -> ListPage[Stream]:
        """Return all streams, also archived ones, in no order."""

    def replace(self, seen: Stream, new: Stream) -> None:
        """Write `new` with version + 1. Raise `RowRefused` if the stored version is not that of `seen`.

        Raise `IngestPortTaken` if another stream has its port.
        """

    def port_owner(self, port: int) -> str | None:
        """Return the id of the stream that has this SRT port."""


class Runtimes(Protocol):
    """The workers' reports and claims."""

    def get(self, stream_id: str) -> Runtime | None:
        """Return a runtime by a consistent read."""

    def get_many(self, stream_ids: Iterable[str]) -> Mapping[str, Runtime]:
        """Return the runtimes of these streams, without missing ones and those that were not read in time."""

    def claim(self, stream_id: str, worker_id: str, now_ms: int, expires_at_ms: int) -> Claim | None:
        """Claim the stream with the next epoch if it is free, expired or this worker's own, else return None.

        A live stream counts as down from its last playlist on.
        """

    def renew(self, claim: Claim, now_ms: int, expires_at_ms: int, last_manifest_at_ms: int | None) -> Claim | None:
        """Extend a claim, and store when new media was last published, if given.

        Return None if it has expired by `now_ms`, or a higher epoch was claimed.
        """

    def release(self, claim: Claim) -> None:
        """Release a claim, so that another worker may claim at once. Does nothing if it was lost."""

    def report(self, claim: Claim, runtime: Runtime) -> bool:
        """Write a report if the claim is valid at `reported_at_ms`; the claim stays as it is. Return False if it was
        lost.

        Tracks are cut to the bounds of `domain.streams.media_health`.
        """

    def mark_unclaimed(
        self, seen: Runtime, state: RuntimeState, error: str | None, waiting: Waiting | None, down_since_ms: int
    ) -> None:
        """Set the state of a stream whose claim has expired, and why it waits, unless it was claimed meanwhile.

        A stream that was not known to be down is down since `down_since_ms`. The next claim clears `waiting`.
        """


@dataclass(frozen=True)
class Hint:
    """A message to the workers to check a stream. The tables hold the facts."""

    stream_id: str
    receipt: str = ""


@dataclass(frozen=True, kw_only=True)
class QueueDepths:
    """Messages in the work queue, received ones that are not done included, and dead letters."""

    waiting: int
    dead: int


class WorkQueue(Protocol):
    """Hints to workers."""

    def send(self, stream_id: str) -> None:
        """Send a hint. It is delivered at least once, at some time."""

    def receive(self, wait_s: int) -> Sequence[Hint]:
        """Long-poll for up to 10 hints; `wait_s` is at most 20."""

    def done(self, hint: Hint) -> None:
        """Delete a hint that was handled."""

    def depths(self) -> QueueDepths:
        """Return about how many messages there are."""
