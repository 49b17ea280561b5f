"""Usage and answer counters: written by the gateways' log followers, read by operators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.money.served_spans import Span
from chalicelib.domain.money.usage import Follower, Served
from chalicelib.domain.operations.fetches import Fetches
from chalicelib.domain.operations.traffic import StreamTraffic
from chalicelib.ports.common import ListPage


@dataclass(frozen=True, kw_only=True)
class SessionUsage:
    """What a session was served in all, and what it fetched lately, by the id of each follower."""

    served: Served
    fetches: Mapping[str, Fetches]


class Usage(Protocol):
    """Usage by session id, or by `day_key(day)` for a whole day. It expires after a while."""

    def add(
        self,
        key: str,
        served: Served,
        *,
        follower: str,
        batch: int,
        now_ms: int,
        spans: Sequence[Span] = (),
        fetches: Fetches | None = None,
    ) -> bool:
        """Add a batch once. Return False without a change if this follower's batch was added to `key` before.

        A follower numbers its batches upwards and adds one wholly before the next. `spans` are all segments of the
        session that this follower has counted, oldest first, and replace those stored; an empty one leaves them. So do
        `fetches`, and None leaves them.
        """

    def get(self, key: str) -> Served | None:
        """Return the usage of a key by a consistent read; None if nothing was served.

        Media time and segments of a session are those of the union of all followers' spans. A day's are sums.
        """

    def of_sessions(self, session_ids: Iterable[str]) -> Mapping[str, SessionUsage]:
        """Return the usage of these sessions, without those that were served nothing or were not read in time.

        It may lag by a moment.
        """

    def count(self, minute: int, stream_id: str, counts: Mapping[str, int], *, follower: str, batch: int) -> bool:
        """Add a batch's counters of an epoch minute once, as `add` does. A stream's minute is the first of its hour.

        `TOTALS_MINUTE` has the gateway's sums without end: each follower's own, which outlast the follower.
        """

    def totals(self) -> Mapping[str, int]:
        """Return the sums of the whole gateway's counters that were added to `TOTALS_MINUTE`, by a consistent read."""

    def counted(self, from_minute: int, to_minute: int) -> Mapping[str, int]:
        """Return the sums of the whole gateway's counters of these minutes, both ends included, at most 60."""

    def counted_by_stream(self, hour_minute: int, *, limit: int, cursor: str | None) -> ListPage[StreamTraffic]:
        """Return the statistics of each stream in an hour, by stream id. `hour_minute` is its first minute."""

    def mark(
        self,
        follower: str,
        through_ms: int,
        lost: Sequence[tuple[int, int]] = (),
        *,
        reported_at_ms: int | None = None,
        watching: int | None = None,
    ) -> None:
        """Store that everything this follower's gateway logged before `through_ms` was added, except what was lost.

        `lost` holds all ranges that this follower lost, at most 16, and replaces those stored; an empty one
        leaves them. `reported_at_ms` is the present time, `through_ms` if omitted. A `watching` of None is unknown.
        """

    def leave(self, follower: str) -> None:
        """Remove this follower's position: its gateway has stopped and all of its log is added. Keep lost ranges."""

    def followers(self) -> Mapping[str, Follower]:
        """Return all followers that have not left, and those that left and lost ranges, by a consistent read."""
