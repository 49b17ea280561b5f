"""The schedule that writes time series: a sample of the platform and of its streams once a minute."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from chalicelib.domain.ids import is_canary
from chalicelib.domain.money.cut_offs import HOUR_MS, p99_ms
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.usage import Follower, day_of
from chalicelib.domain.operations.samples import latest_figures, platform_gauges, stream_sample
from chalicelib.domain.operations.series import (
    APART_MS_MAX,
    CORRECTED_MINUTES,
    FOLLOWED_MS,
    OF_GATEWAYS,
    ROLLED_HOURS_MAX,
    Overview,
    Sample,
    SamplerState,
    Slot,
    Step,
    counted_since,
    gateway_counts,
    hour_of_minutes,
    is_counted,
    minute_of_sample,
)
from chalicelib.domain.operations.traffic import HOUR_MINUTES, MINUTE_MS, traffic_of
from chalicelib.domain.streams.runtime import Runtime, is_delivered
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import Clock, StoreUnavailable, all_items
from chalicelib.ports.money.money import PlaybackSessions
from chalicelib.ports.money.reconciliation import Reconciliations
from chalicelib.ports.money.usage import Usage
from chalicelib.ports.operations.canary import CanaryRuns
from chalicelib.ports.operations.counters import Counters
from chalicelib.ports.operations.series import SeriesStore
from chalicelib.ports.streams.streams import Runtimes, Streams, WorkQueue
from chalicelib.services.operations.workers import WorkersService

PER_PAGE = 200
SESSIONS_PER_PAGE = 1_000
# A stream that is no longer live is sampled this much longer, so that what it was served last is counted.
ENDING_MS = 120_000
# So long after an hour's end, late counts of it may arrive.
LATE_MINUTES = 10
OWN = ("spent_millipoints", "login_failures", "playback_errors")
# By stream and hour: the columns `OF_GATEWAYS`.
Counted = dict[str, dict[int, tuple[int, ...]]]


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """A stream that is sampled, what runs, and who watches."""

    stream: Stream
    runtime: Runtime
    sessions: Sequence[SessionRecord]


class Sampler:
    """Takes samples. Two runs at once write the same values, and only one of them goes on from its state."""

    def __init__(
        self,
        *,
        series: SeriesStore,
        streams: Streams,
        runtimes: Runtimes,
        sessions: PlaybackSessions,
        counters: Counters,
        usage: Usage,
        reconciliations: Reconciliations,
        queue: WorkQueue,
        canary_runs: CanaryRuns,
        workers: WorkersService,
        clock: Clock,
    ) -> None:
        self._series = series
        self._streams = streams
        self._runtimes = runtimes
        self._sessions = sessions
        self._counters = counters
        self._usage = usage
        self._reconciliations = reconciliations
        self._queue = queue
        self._canary_runs = canary_runs
        self._workers = workers
        self._clock = clock

    def sample(self) -> int | None:
        """Take a sample, and return the epoch minute that it is for. None if it is too soon for another one.

        Raise `StoreUnavailable`; then the minute stays a gap.
        """
        seen, now_ms = self._series.state(), self._clock.now_ms()
        minute = minute_of_sample(now_ms, seen)
        if minute is None:
            return None
        followers, counted = self._usage.followers(), self._counted_by_stream(now_ms)
        is_followed = is_counted(now_ms - MINUTE_MS, now_ms - FOLLOWED_MS, followers)
        growth = _growth(seen, counted, now_ms) if is_followed else None
        active = all_items(self._sessions.all_active, limit=SESSIONS_PER_PAGE)
        sessions = [each for each in active if not is_canary(each.user_id)]
        stream_ids, sampled = self._look(sessions, now_ms)

        samples = {each.stream.stream_id: _of_stream(each, growth, now_ms) for each in sampled}
        gauges = platform_gauges(samples.values(), len(sessions), self._cut_off_p99_ms(minute // HOUR_MINUTES))
        still_open = [each for each in seen.open_minutes if 0 < minute - each <= CORRECTED_MINUTES] if seen else []
        counts = {each: self._counts(each, followers) for each in (*still_open, minute)}

        corrected = {each: Sample(counts=found) for each, found in counts.items()}
        self._series.add("", Step.MINUTE, {**corrected, minute: Sample(gauges=gauges, counts=counts[minute])})
        for stream_id, sample in samples.items():
            self._series.add(stream_id, Step.MINUTE, {minute: sample})
        self._series.put_overview(self._overview(gauges, counts, sampled, now_ms))
        state = SamplerState(
            at_ms=now_ms,
            minute=minute,
            # Once more after the minute, since the functions' counters are written some seconds late.
            open_minutes=tuple(each for each in counts if each == minute or counts[each]["egress_bytes"] is None),
            is_followed=is_followed,
            counted=counted,
            rolled_hour=seen.rolled_hour if seen else minute // HOUR_MINUTES - 1,
        )
        if self._series.put_state(state, seen):
            self._sum_up_hours(state, stream_ids)
        return minute

    def _counted_by_stream(self, now_ms: int) -> Counted:
        """Return the gateways' counters of each stream in this hour, and in the last one while late counts arrive."""
        minute, counted = now_ms // MINUTE_MS, Counted()
        hour = minute // HOUR_MINUTES
        for each in (hour - 1, hour) if minute % HOUR_MINUTES < LATE_MINUTES else (hour,):
            for found in all_items(self._usage.counted_by_stream, each * HOUR_MINUTES, limit=PER_PAGE):
                counted.setdefault(found.stream_id, {})[each] = gateway_counts(found.traffic)
        return counted

    def _look(self, sessions: Iterable[SessionRecord], now_ms: int) -> tuple[list[str], list[Sampled]]:
        """Return the ids of all streams, and those that are or were just live or are watched."""
        watching: dict[str, list[SessionRecord]] = {}
        for record in sessions:
            watching.setdefault(record.stream_id, []).append(record)
        stream_ids, sampled = [], []
        for stream in all_items(self._streams.list, limit=PER_PAGE):
            stream_ids.append(stream.stream_id)
            is_wanted = stream.desired_state is DesiredState.LIVE or now_ms - stream.desired_since_ms < ENDING_MS
            if is_wanted or stream.stream_id in watching:
                runtime = self._runtimes.get(stream.stream_id) or Runtime(stream_id=stream.stream_id)
                found = watching.get(stream.stream_id, [])
                sampled.append(Sampled(stream=stream, runtime=runtime, sessions=found))
        return stream_ids, sampled

    def _counts(self, minute: int, followers: Mapping[str, Follower]) -> Slot:
        """Return the platform's counts of a minute. Those of the gateways are unknown until their logs are read."""
        counters = self._counters.minutes(minute, minute).get(minute, {})
        own = {name: counters.get(name, 0) for name in OWN}
        if not is_counted(minute * MINUTE_MS, (minute + 1) * MINUTE_MS, followers):
            return own | dict.fromkeys(OF_GATEWAYS)
        found = gateway_counts(traffic_of(self._usage.counted(minute, minute)))
        return own | dict(zip(OF_GATEWAYS, found, strict=True))

    def _cut_off_p99_ms(self, hour: int) -> int | None:
        """Return it for the sessions that ended in this epoch hour, as far as they are reconciled."""
        totals = self._reconciliations.totals(day_of(hour * HOUR_MS))
        return p99_ms(each for each in totals.cut_offs if each.hour_ms == hour * HOUR_MS) if totals else None

    def _overview(self, gauges: Slot, counts: Mapping[int, Slot], sampled: Sequence[Sampled], now_ms: int) -> Overview:
        live = [each for each in sampled if each.stream.desired_state is DesiredState.LIVE]
        workers, depths = self._workers.present(), None
        # A failing queue is no reason to lose a sample.
        with suppress(StoreUnavailable):
            depths = self._queue.depths()
        run = next(iter(self._canary_runs.page(limit=1, cursor=None).items), None)
        return Overview(
            at_ms=now_ms,
            figures=latest_figures(gauges, (counts[minute] for minute in sorted(counts))),
            streams_live=len(live),
            streams_delivered=sum(is_delivered(each.runtime, now_ms) for each in live),
            workers=len(workers),
            capacity=sum(each.capacity for each in workers),
            streams_running=sum(len(each.stream_ids) for each in workers),
            work_queue_depth=depths.waiting if depths else None,
            dead_letters=depths.dead if depths else None,
            canary_at_ms=run.at_ms if run else None,
            canary_is_ok=run.is_ok if run else None,
        )

    def _sum_up_hours(self, state: SamplerState, stream_ids: Iterable[str]) -> None:
        """Sum up the hours that are over and whose counts are final. What fails here, the next run repeats."""
        last = (state.minute - CORRECTED_MINUTES) // HOUR_MINUTES - 1
        hours = range(max(state.rolled_hour + 1, last - ROLLED_HOURS_MAX + 1), last + 1)
        for hour in hours:
            first = hour * HOUR_MINUTES
            for scope in ("", *stream_ids):
                minutes = self._series.read(scope, Step.MINUTE, first, first + HOUR_MINUTES - 1)
                if minutes:
                    p99 = None if scope else self._cut_off_p99_ms(hour)
                    self._series.add(scope, Step.HOUR, {hour: hour_of_minutes([*minutes.values()], p99)})
        if hours:
            self._series.put_state(replace(state, rolled_hour=last), state)


def _growth(seen: SamplerState | None, counted: Counted, now_ms: int) -> Mapping[str, tuple[int, ...]] | None:
    """Return what each stream was served since the last sample; None unless that is a minute that is fully counted."""
    if seen is None or not seen.is_followed or not 0 <= now_ms - seen.at_ms <= APART_MS_MAX:
        return None
    return {stream_id: counted_since(seen.counted.get(stream_id, {}), now) for stream_id, now in counted.items()}


def _of_stream(sampled: Sampled, growth: Mapping[str, tuple[int, ...]] | None, now_ms: int) -> Sample:
    nothing = (0,) * len(OF_GATEWAYS)
    served = None if growth is None else growth.get(sampled.stream.stream_id, nothing)
    return stream_sample(sampled.stream, sampled.runtime, sampled.sessions, served, now_ms)
