"""The metrics for Prometheus, read from the stores at each scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.cut_offs import BOUNDS_MS, COUNTED, EARLY, SUMMED
from chalicelib.domain.money.points import MILLIPOINTS_PER_POINT
from chalicelib.domain.money.reconciliation import ReconciliationFigures
from chalicelib.domain.operations import metric_catalogue as names
from chalicelib.domain.operations.metric_catalogue import Family, Metric, Sample
from chalicelib.domain.operations.totals import CANARY
from chalicelib.domain.operations.traffic import CLOSED_NAME, REFUSALS, STATUS_CLASSES, Kept, Part
from chalicelib.domain.operations.workers import is_present
from chalicelib.domain.streams.runtime import Runtime, RuntimeState, Waiting, effective_state, is_delivered
from chalicelib.domain.streams.stream import DesiredState
from chalicelib.ports.common import Clock, StoreUnavailable, all_items
from chalicelib.ports.money.usage import Usage
from chalicelib.ports.operations.counters import Counters
from chalicelib.ports.operations.workers import Workers
from chalicelib.ports.streams.streams import Runtimes, Streams, WorkQueue
from chalicelib.services.operations.canary import Canary
from chalicelib.services.operations.monitoring import PROBLEM_PREFIX, Monitoring

STREAMS_PER_PAGE = 200
# Streams that a scrape reads. Further ones are missing from it.
STREAMS_READ_MAX = 2_000
MS_PER_S = 1_000
OTHER = (names.OTHER,)
ALARMING = (("500", "internal_error"), ("503", "unavailable"))
CACHES = {Kept.PLAYLIST: "playlist", Kept.SEGMENT: "segment", Kept.VERDICT: "decision"}


class Exporter:
    """Reads all metrics. A store that fails costs its own metrics, and `part_read` shows it."""

    def __init__(
        self,
        *,
        monitoring: Monitoring,
        reconciled: Callable[[], ReconciliationFigures],
        canary: Canary,
        counters: Counters,
        usage: Usage,
        streams: Streams,
        runtimes: Runtimes,
        workers: Workers,
        queue: WorkQueue,
        clock: Clock,
        version: str,
    ) -> None:
        self._monitoring = monitoring
        self._reconciled = reconciled
        self._canary = canary
        self._counters = counters
        self._usage = usage
        self._streams = streams
        self._runtimes = runtimes
        self._workers = workers
        self._queue = queue
        self._clock = clock
        self._version = version

    def families(self) -> list[Family]:
        """Return all metrics that could be read."""
        parts: Mapping[str, Callable[[], list[Family]]] = {
            "functions": self._of_functions,
            "sessions": self._of_sessions,
            "gateway": self._of_gateway,
            "streams": self._of_streams,
            "workers": self._of_workers,
            "queue": self._of_queue,
            "reconciliation": self._of_reconciliation,
            "canary": self._of_canary,
        }
        found, read = [_one(names.BUILD, 1, self._version)], {}
        for part, families in parts.items():
            try:
                found += families()
            except StoreUnavailable:
                read[part] = 0
            else:
                read[part] = 1
        return [*found, _by_label(names.PART_READ, read)]

    def _of_functions(self) -> list[Family]:
        totals, gauges = self._counters.totals(), self._counters.gauges()
        # The two that alarms are about begin at 0, since a rise from nothing is no rise in Prometheus.
        problems: dict[tuple[str, ...], int] = dict.fromkeys(ALARMING, 0)
        problems |= {
            tuple(name.removeprefix(PROBLEM_PREFIX).split(".", 1)): count
            for name, count in totals.items()
            if name.startswith(PROBLEM_PREFIX)
        }
        behind = gauges.get("ledger_pages_behind")
        return [
            _one(names.POINTS_SPENT, totals.get("spent_millipoints", 0) / MILLIPOINTS_PER_POINT),
            _one(names.POINTS_RETURNED, totals.get("returned_millipoints", 0) / MILLIPOINTS_PER_POINT),
            _one(names.LOGIN_FAILURES, totals.get("login_failures", 0)),
            _one(names.PLAYBACK_ERRORS, totals.get("playback_errors", 0)),
            _one(names.AUDIT_FAILURES, totals.get("audit_failures", 0)),
            Family(names.PROBLEMS, [Sample(labels, count) for labels, count in sorted(problems.items())]),
            Family(names.CUT_OFF, [each for reason in sorted(EARLY) for each in _histogram(reason, totals)]),
            Family(names.PAGES_BEHIND, [] if behind is None else [Sample((), behind)]),
            _by_label(names.CANARY_RUNS, {each: totals.get(f"{CANARY}.{each}", 0) for each in ("ok", "failed")}),
        ]

    def _of_sessions(self) -> list[Family]:
        watching = self._monitoring.watching_sessions()
        return [
            _one(names.ACTIVE_SESSIONS, self._monitoring.active_sessions()),
            Family(names.WATCHING_SESSIONS, [] if watching is None else [Sample((), watching)]),
            _one(names.POINTS_PER_MINUTE, self._monitoring.points_spent_per_minute()),
        ]

    def _of_gateway(self) -> list[Family]:
        totals, now_ms = self._usage.totals(), self._clock.now_ms()
        through = [each.through_ms for each in self._usage.followers().values() if each.through_ms]
        answers = [
            Sample((part, status), totals.get(f"{part}_{status}", 0))
            for part in Part
            for status in (*STATUS_CLASSES, CLOSED_NAME)
        ]
        age = [Sample((), max(0, now_ms - min(through)) / MS_PER_S)] if through else []
        return [
            Family(names.GATEWAY_ANSWERS, answers),
            _by_label(names.GATEWAY_REFUSALS, {str(each): totals.get(f"refused_{each}", 0) for each in REFUSALS}),
            _by_label(names.EGRESS_BYTES, {part: totals.get(f"{part}_bytes", 0) for part in Part}),
            _by_label(names.CACHE_HITS, {label: totals.get(f"{kept}_hits", 0) for kept, label in CACHES.items()}),
            _by_label(names.CACHE_MISSES, {label: totals.get(f"{kept}_misses", 0) for kept, label in CACHES.items()}),
            Family(names.GATEWAY_LOG_AGE, age),
        ]

    def _of_streams(self) -> list[Family]:
        listed = islice(all_items(self._streams.list, limit=STREAMS_PER_PAGE), STREAMS_READ_MAX)
        live = sorted(each.stream_id for each in listed if each.desired_state is DesiredState.LIVE)
        found, now_ms = self._runtimes.get_many(live), self._clock.now_ms()
        runtimes = [found.get(stream_id, Runtime(stream_id=stream_id)) for stream_id in live]
        states = Counter(effective_state(each, now_ms) for each in runtimes)
        waiting = Counter(each.waiting for each in runtimes if not each.is_claimed(now_ms))
        # A worker's report counts while it holds its claim, the age of its newest playlist also later.
        claimed = [each for each in runtimes if each.is_claimed(now_ms)]
        ages = {
            each.stream_id: max(0, now_ms - each.last_manifest_at_ms) / MS_PER_S
            for each in runtimes
            if each.last_manifest_at_ms is not None
        }
        bitrates = {each.stream_id: each.ingest_bitrate_bps for each in claimed if each.ingest_bitrate_bps is not None}
        rates = {each.stream_id: each.segments_per_minute for each in claimed if each.segments_per_minute is not None}
        delivered = {each.stream_id: int(is_delivered(each, now_ms)) for each in runtimes}
        return [
            _by_label(names.STREAMS, {state: states[state] for state in RuntimeState}),
            _by_label(names.STREAMS_WAITING, {reason: waiting[reason] for reason in Waiting}),
            _by_stream(names.STREAM_DELIVERED, delivered, min),
            _by_stream(names.INGEST_BITRATE, bitrates, sum),
            _by_stream(names.SEGMENT_RATE, rates, sum),
            _by_stream(names.MANIFEST_AGE, ages, max),
        ]

    def _of_workers(self) -> list[Family]:
        page, now_ms = self._workers.list(limit=names.LABELLED_WORKERS_MAX, cursor=None), self._clock.now_ms()
        ages = {each.worker_id: max(0, now_ms - each.seen_at_ms) / MS_PER_S for each in page.items}
        present = [each for each in page.items if is_present(each, now_ms)]
        return [
            _one(names.WORKERS, len(present)),
            _by_label(names.WORKER_CAPACITY, {each.worker_id: each.capacity for each in present}),
            _by_label(names.WORKER_STREAMS, {each.worker_id: len(each.stream_ids) for each in present}),
            _by_label(names.WORKER_AGE, ages),
        ]

    def _of_queue(self) -> list[Family]:
        depths = self._queue.depths()
        return [_by_label(names.QUEUE_DEPTH, {"work": depths.waiting, "dead": depths.dead})]

    def _of_reconciliation(self) -> list[Family]:
        figures = self._reconciled()
        return [
            _one(names.DRIFT, figures.drift_points),
            _one(names.DISAGREEING, figures.disagreeing),
            _one(names.MISMATCHES, figures.ledger_mismatches),
        ]

    def _of_canary(self) -> list[Family]:
        run = self._canary.last()
        if run is None:
            return []
        return [
            _one(names.CANARY_OK, int(run.is_ok)),
            _one(names.CANARY_AGE, max(0, self._clock.now_ms() - run.at_ms) / MS_PER_S),
            _by_label(names.CANARY_STEP, {step: ms / MS_PER_S for step, ms, _ in run.steps}),
            _by_label(names.CANARY_STEP_OK, {step: int(is_ok) for step, _, is_ok in run.steps}),
        ]


def _one(metric: Metric, value: float, *labels: str) -> Family:
    return Family(metric, [Sample(labels, value)])


def _by_label(metric: Metric, values: Mapping[str, float]) -> Family:
    return Family(metric, [Sample((str(label),), value) for label, value in sorted(values.items())])


def _by_stream(metric: Metric, values: Mapping[str, float], join: Callable[[Iterable[float]], float]) -> Family:
    """Return a sample for each of the first streams, and one that joins all others."""
    ids = sorted(values)
    if len(ids) > names.LABELLED_STREAMS_MAX:
        # A stream may have this id, and two samples with one label are no valid metric.
        ids.sort(key=lambda each: each == names.OTHER)
    own, others = ids[: names.LABELLED_STREAMS_MAX], ids[names.LABELLED_STREAMS_MAX :]
    samples = [Sample((each,), values[each]) for each in own]
    if others:
        samples.append(Sample(OTHER, join(values[each] for each in others)))
    return Family(metric, samples)


def _histogram(reason: EndReason, totals: Mapping[str, int]) -> list[Sample]:
    samples, count = [], 0
    for bucket, bound in enumerate([*(str(ms / MS_PER_S) for ms in BOUNDS_MS), "+Inf"]):
        count += totals.get(f"{COUNTED}.{reason}.{bucket}", 0)
        samples.append(Sample((reason,), count, "_bucket", bound))
    total_s = totals.get(f"{SUMMED}.{reason}", 0) / MS_PER_S
    return [*samples, Sample((reason,), total_s, "_sum"), Sample((reason,), count, "_count")]
