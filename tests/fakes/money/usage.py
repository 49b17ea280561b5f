"""The port `Usage` in memory."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.money.served_spans import Span, from_text, overlap_of, to_text
from chalicelib.domain.money.usage import Follower, Served
from chalicelib.domain.operations.fetches import Fetches
from chalicelib.domain.operations.traffic import MINUTE_MS, TOTALS_MINUTE, StreamTraffic, traffic_of
from chalicelib.ports.common import ListPage
from chalicelib.ports.money.usage import SessionUsage
from tests.fakes.simple import page_of


class MemoryUsage:
    def __init__(self) -> None:
        self.rows: dict[str, Served] = {}
        self.spans: dict[str, dict[str, str]] = {}
        self.fetches: dict[str, dict[str, Fetches]] = {}
        self.counts: dict[tuple[int, str], Counter[str]] = {}
        self.batches: dict[tuple[object, str], int] = {}
        self.reported: dict[str, Follower] = {}
        self.lost: dict[str, tuple[tuple[int, int], ...]] = {}

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
        if not self._once(key, follower, batch):
            return False
        if spans:
            self.spans.setdefault(key, {})[follower] = to_text(spans)
        if fetches is not None:
            self.fetches.setdefault(key, {})[follower] = fetches
        self.rows[key] = self.rows.get(key, Served()).plus(served)
        return True

    def get(self, key: str) -> Served | None:
        if key not in self.rows:
            return None
        stored = sorted(self.spans.get(key, {}).items())
        return self.rows[key].without(overlap_of(from_text(text) for _, text in stored))

    def of_sessions(self, session_ids: Iterable[str]) -> Mapping[str, SessionUsage]:
        found = {each: self.get(each) for each in session_ids}
        return {
            each: SessionUsage(served=served, fetches=self.fetches.get(each, {}))
            for each, served in found.items()
            if served is not None
        }

    def count(self, minute: int, stream_id: str, counts: Mapping[str, int], *, follower: str, batch: int) -> bool:
        if not self._once((minute, stream_id), follower, batch):
            return False
        self.counts.setdefault((minute, stream_id), Counter()).update(counts)
        return True

    def totals(self) -> Mapping[str, int]:
        return self.counts.get((TOTALS_MINUTE, ""), Counter())

    def counted(self, from_minute: int, to_minute: int) -> Mapping[str, int]:
        total: Counter[str] = Counter()
        for minute in range(from_minute, to_minute + 1):
            total.update(self.counts.get((minute, ""), {}))
        return total

    def counted_by_stream(self, hour_minute: int, *, limit: int, cursor: str | None) -> ListPage[StreamTraffic]:
        found = [
            StreamTraffic(stream_id=stream_id, hour_ms=minute * MINUTE_MS, traffic=traffic_of(counts))
            for (minute, stream_id), counts in sorted(self.counts.items())
            if minute == hour_minute and stream_id
        ]
        return page_of(found, limit, cursor)

    def mark(
        self,
        follower: str,
        through_ms: int,
        lost: Sequence[tuple[int, int]] = (),
        *,
        reported_at_ms: int | None = None,
        watching: int | None = None,
    ) -> None:
        if lost:
            self.lost[follower] = tuple(lost)
        before = self.reported.get(follower)
        self.reported[follower] = Follower(
            through_ms=through_ms,
            reported_at_ms=through_ms if reported_at_ms is None else reported_at_ms,
            watching=before.watching if watching is None and before else watching,
        )

    def leave(self, follower: str) -> None:
        self.reported.pop(follower, None)

    def followers(self) -> Mapping[str, Follower]:
        left = Follower(through_ms=0)
        return {
            each: replace(self.reported.get(each, left), lost=self.lost.get(each, ()))
            for each in self.reported.keys() | self.lost.keys()
        }

    def _once(self, row: object, follower: str, batch: int) -> bool:
        if self.batches.get((row, follower), 0) >= batch:
            return False
        self.batches[row, follower] = batch
        return True
