"""What was served and answered: written by the gateways' followers of their logs, read by operators."""

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.money.usage import Served
from chalicelib.domain.operations.traffic import StreamTraffic
from chalicelib.ports.common import ListPage


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

    def count(self, minute: int, stream_id: str, counts: Mapping[str, int], *, follower: str, batch: int) -> bool:
        """Add a batch's counters of an epoch minute (of a stream: of the hour that it begins) once, as `add` does."""
        ...

    def counted(self, from_minute: int, to_minute: int) -> Mapping[str, int]:
        """The whole gateway's counters of these minutes (both ends included, 60 at most) together."""
        ...

    def counted_by_stream(self, hour_minute: int, *, limit: int, cursor: str | None) -> ListPage[StreamTraffic]:
        """What each stream's counters of an hour make, by stream id; `hour_minute` is the hour's first minute."""
        ...

    def mark(self, follower: str, through_ms: int) -> None:
        """Say that all that this follower's gateway had logged before `through_ms` was added."""
        ...

    def marks(self) -> Mapping[str, int]:
        """How far each follower has come, in ms: a consistent read."""
        ...
