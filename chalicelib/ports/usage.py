"""What was served: written by the gateways' followers of their logs, read beside what was paid."""

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.usage import Served


class Usage(Protocol):
    """Figures by session id, or by `day_key(day)` for a whole day. They are forgotten after a while."""

    def add(self, key: str, served: Served, *, follower: str, batch: int, now_ms: int) -> bool:
        """Add a batch's figures once: False, and nothing happens, if this follower's batch was added to `key` before.

        A follower numbers its batches upwards and adds one wholly before the next.
        """
        ...

    def get(self, key: str) -> Served | None:
        """A consistent read; None if nothing was served."""
        ...

    def mark(self, follower: str, through_ms: int) -> None:
        """Say that all that this follower's gateway had logged before `through_ms` was added."""
        ...

    def marks(self) -> Mapping[str, int]:
        """How far each follower has come, in ms: a consistent read."""
        ...
