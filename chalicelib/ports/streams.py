"""Streams, their runtime, and hints to workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.streams.runtime import Claim, Runtime, RuntimeState, Waiting
from chalicelib.domain.streams.stream import Stream
from chalicelib.ports.common import ListPage


class Streams(Protocol):
    """Streams as operators set them up. A port for SRT (`Stream.srt_port`) is had by one of them at most."""

    def add(self, stream: Stream) -> None:
        """Raises `StreamExists`, `IngestPortTaken`, or `RowRefused` if another write was in the way."""
        ...

    def get(self, stream_id: str) -> Stream | None:
        """A consistent read; archived streams are answered too."""
        ...

    def list(self, *, limit: int, cursor: str | None) -> ListPage[Stream]:
        """All streams, archived ones too, in no order."""
        ...

    def replace(self, seen: Stream, new: Stream) -> None:
        """Write `new` (with version + 1) if the stored version is still that of `seen`, else raise `RowRefused`.

        Raises `IngestPortTaken`, too.
        """
        ...

    def port_owner(self, port: int) -> str | None:
        """The id of the stream that has this port for SRT."""
        ...


class Runtimes(Protocol):
    """What workers report, and their claims."""

    def get(self, stream_id: str) -> Runtime | None:
        """A consistent read."""
        ...

    def claim(self, stream_id: str, worker_id: str, now_ms: int, expires_at_ms: int) -> Claim | None:
        """Take the stream, with the next epoch, if it is free, expired or this worker's own; None if another has it.

        A stream that was live is down from then on, since its last playlist.
        """
        ...

    def renew(self, claim: Claim, now_ms: int, expires_at_ms: int, last_manifest_at_ms: int | None) -> Claim | None:
        """Extend one's claim, and say when something new was published last, if anything was.

        None if it has expired by `now_ms`, or a higher epoch was claimed meanwhile.
        """
        ...

    def release(self, claim: Claim) -> None:
        """Let go at once, so that another worker may claim. Nothing happens if it was lost."""
        ...

    def report(self, claim: Claim, runtime: Runtime) -> bool:
        """Write a report if the claim still stands at `reported_at_ms`; it is not touched. False if it was lost.

        Tracks and issues beyond the bounds of `domain.media_health` are cut.
        """
        ...

    def mark_unclaimed(
        self, seen: Runtime, state: RuntimeState, error: str | None, waiting: Waiting | None, down_since_ms: int
    ) -> None:
        """Set the state of a stream whose claim has expired, and why it waits, unless somebody claimed it meanwhile.

        If it was not known to be down, it is so since `down_since_ms`. The next claim ends the waiting.
        """
        ...


@dataclass(frozen=True)
class Hint:
    """A message to the workers: look at this stream. The tables are the truth."""

    stream_id: str
    receipt: str = ""


class WorkQueue(Protocol):
    """Hints to workers."""

    def send(self, stream_id: str) -> None:
        """At least once, some time."""
        ...

    def receive(self, wait_s: int) -> Sequence[Hint]:
        """Long-poll for up to 10 hints; `wait_s` is 20 at most."""
        ...

    def done(self, hint: Hint) -> None:
        """The hint was handled."""
        ...
