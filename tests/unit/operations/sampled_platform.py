"""A platform in memory with a set clock, whose schedule is run minute by minute."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.domain.money.cut_offs import HOUR_MS
from chalicelib.domain.money.reconciliation import DayTotals
from chalicelib.domain.money.usage import day_of
from chalicelib.domain.operations.series import SeriesName, Step, Value
from chalicelib.domain.operations.traffic import MINUTE_MS, Kept, Part, counts_of, hour_of
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from tests.fakes.money.sessions import session_record
from tests.fakes.simple import SetClock
from tests.fakes.stores import memory_services

# 00:00 UTC, so that tests choose how far it is to the end of an hour or day.
MIDNIGHT_MS = 1_800_057_600_000
STREAM_ID = "stream-1"
CLAIM_MS = 10_000


class MinuteCounters:
    """The port `Counters`, by minute."""

    def __init__(self, clock: SetClock) -> None:
        self._clock = clock
        self._counts: dict[int, Counter[str]] = {}

    def add(self, name: str, amount: int = 1) -> None:
        self._counts.setdefault(self._clock.now_ms() // MINUTE_MS, Counter())[name] += amount

    def flush_if_due(self) -> None:
        pass

    def minutes(self, from_minute: int, to_minute: int) -> Mapping[int, Mapping[str, int]]:
        return {minute: self._counts.get(minute, Counter()) for minute in range(from_minute, to_minute + 1)}


class StoredTotals:
    """The part of the port `Reconciliations` that samples read."""

    def __init__(self) -> None:
        self.days: dict[str, DayTotals] = {}

    def totals(self, day: str) -> DayTotals | None:
        return self.days.get(day)


class SampledPlatform:
    """A live stream with one viewer, a worker, and a gateway whose log is followed. Parts stop when tests say so."""

    def __init__(self, at_ms: int = MIDNIGHT_MS + 12 * HOUR_MS + 20_000) -> None:
        self.services: Any = memory_services()
        self.stores = self.services.stores
        self.clock = SetClock(at_ms)
        self.stores.clock, self.stores.counters = self.clock, MinuteCounters(self.clock)
        self.stores.reconciliations = StoredTotals()
        self.stores.streams.add(Stream(stream_id=STREAM_ID, title="x", ingest=Ingest(mode=IngestMode.TEST)))
        self.want(DesiredState.LIVE)
        self.watch("a" * 26)
        self.worker_runs = self.follower_runs = self.scheduler_runs = True
        self._batch = 0

    @property
    def minute(self) -> int:
        return self.clock.now_ms() // MINUTE_MS

    def want(self, state: DesiredState) -> None:
        seen = self.stores.streams.get(STREAM_ID)
        self.stores.streams.replace(seen, replace(seen, desired_state=state, desired_since_ms=self.clock.now_ms()))

    def watch(self, session_id: str, **more: str) -> None:
        record = session_record(self.clock.now_ms(), session_id=session_id, stream_id=STREAM_ID, **more)
        self.stores.rows.records[session_id] = record

    def serve(self, requests: int = 1, minute: int | None = None) -> None:
        """The gateway answers requests for segments of 1,000 bytes, and the follower adds them."""
        minute, self._batch = self.minute if minute is None else minute, self._batch + 1
        counts = counts_of(Part.MEDIA, 200, 1_000, {Kept.SEGMENT: True, Kept.VERDICT: True})
        counts = Counter({name: amount * requests for name, amount in counts.items()})
        for row in ((minute, ""), (hour_of(minute), STREAM_ID)):
            self.stores.usage.count(*row, counts, follower="f", batch=self._batch)

    def report(self) -> None:
        """The worker renews its claim and reports, unless it does not run."""
        if not self.worker_runs:
            return
        now_ms, runtimes = self.clock.now_ms(), self.stores.runtimes
        claim = runtimes.claim(STREAM_ID, "w1", now_ms, now_ms + CLAIM_MS)
        state = {"state": RuntimeState.LIVE, "reported_at_ms": now_ms, "last_manifest_at_ms": now_ms - 1_500}
        state |= {"ingest_bitrate_bps": 4_000_000, "segments_per_minute": 29.97}
        assert runtimes.report(claim, Runtime(stream_id=STREAM_ID, claim=claim, **state))

    def follow(self) -> None:
        """The follower reports that it has read the log."""
        self.stores.usage.mark("f", self.clock.now_ms() - 5_000, reported_at_ms=self.clock.now_ms())

    def step(self, ms: int = MINUTE_MS) -> int | None:
        """Let a minute pass. Then all parts that run report, and the schedule takes its sample."""
        self.clock.advance(ms)
        self.report()
        if self.follower_runs:
            self.follow()
        return self.services.sampler.sample() if self.scheduler_runs else None

    def steps(self, count: int, requests: int = 6) -> None:
        for _ in range(count):
            self.serve(requests)
            self.step()

    def read(self, name: str, minutes: int, stream_id: str | None = None) -> list[Value]:
        """The last minutes of a series."""
        name, now_ms = SeriesName(name), self.clock.now_ms()
        span = {"from_ms": now_ms - minutes * MINUTE_MS, "to_ms": now_ms}
        found = self.services.series.columns([name], stream_id=stream_id, step=Step.MINUTE, **span)
        return list(found.series[name])

    def hours(self, name: str, hours: int, stream_id: str | None = None) -> tuple[list[Value], list[Value]]:
        """The last full hours of a series, and how many minutes of each were sampled."""
        now_ms = self.clock.now_ms()
        span = {"from_ms": now_ms - hours * HOUR_MS, "to_ms": now_ms}
        found = self.services.series.columns([SeriesName(name)], stream_id=stream_id, step=Step.HOUR, **span)
        return list(found.series[SeriesName(name)]), list(found.sampled_minutes)

    def end_sessions(self, at_ms: int, parts: Any) -> None:
        self.stores.reconciliations.days[day_of(at_ms)] = DayTotals(day=day_of(at_ms), cut_offs=parts)
