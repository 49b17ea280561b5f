"""The metrics for Prometheus: names, kinds, units and labels. Alert rules and dashboards use no others."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "tollcast_"
# Streams with a label of their own, by id. All further ones share the label `other`.
LABELLED_STREAMS_MAX = 200
LABELLED_WORKERS_MAX = 200
OTHER = "other"


class Kind(StrEnum):
    """What a metric is, in the words of OpenMetrics."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


# What a sample's name has behind the metric's.
SUFFIXES = {
    Kind.COUNTER: ("_total",),
    Kind.GAUGE: ("",),
    Kind.HISTOGRAM: ("_bucket", "_sum", "_count"),
    Kind.INFO: ("_info",),
}


@dataclass(frozen=True)
class Metric:
    """A metric. `name` has neither the prefix nor `_total`; a unit, if there is one, is its end."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The names of its samples, as queries have them."""
        return tuple(f"{PREFIX}{self.name}{suffix}" for suffix in SUFFIXES[self.kind])


@dataclass(frozen=True)
class Sample:
    """A value with the values of the metric's labels. `suffix` and `le` are for histograms."""

    labels: tuple[str, ...]
    value: float
    suffix: str = ""
    le: str | None = None


@dataclass(frozen=True)
class Family:
    """A metric with its samples. Values that are not known have no sample, never a zero."""

    metric: Metric
    samples: Sequence[Sample]


COUNTER, GAUGE, HISTOGRAM, INFO = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM, Kind.INFO

BUILD = Metric("build", INFO, "The version of the functions.", ("version",))
PART_READ = Metric("part_read", GAUGE, "1 if this part of the metrics could be read, 0 if its store failed.", ("part",))

ACTIVE_SESSIONS = Metric("active_sessions", GAUGE, "Sessions that have not ended.")
WATCHING_SESSIONS = Metric("watching_sessions", GAUGE, "Active sessions that fetched a segment in the last 15 s.")
POINTS_PER_MINUTE = Metric("points_spent_per_minute", GAUGE, "Points spent less points given back, mean of 5 minutes.")
POINTS_SPENT = Metric("points_spent", COUNTER, "Points charged for leases and for media fetched ahead.")
POINTS_RETURNED = Metric("points_returned", COUNTER, "Points given back by refunds, outage credits and settlements.")
LOGIN_FAILURES = Metric("login_failures", COUNTER, "Wrong emails or passwords.")
PLAYBACK_ERRORS = Metric("playback_errors", COUNTER, "Starts of sessions that were refused.")
AUDIT_FAILURES = Metric("audit_failures", COUNTER, "Acts of operators that are missing in the audit log.")
PROBLEMS = Metric("problems", COUNTER, "Error responses of the API.", ("status", "code"))

GATEWAY_ANSWERS = Metric(
    "gateway_answers", COUNTER, "Answers of the gateways by status class; closed: the client left.", ("part", "status")
)
GATEWAY_REFUSALS = Metric("gateway_refusals", COUNTER, "Refused media requests, a part of the 4xx.", ("status",))
EGRESS_BYTES = Metric("egress_bytes", COUNTER, "Bytes that the gateways sent, with headers.", ("part",), "bytes")
CACHE_HITS = Metric("cache_hits", COUNTER, "Lookups in the gateways' caches that found a copy.", ("cache",))
CACHE_MISSES = Metric("cache_misses", COUNTER, "Lookups in the gateways' caches that found none.", ("cache",))
GATEWAY_LOG_AGE = Metric(
    "gateway_log_age_seconds", GAUGE, "How far the slowest log follower is behind. None runs: missing.", (), "seconds"
)

STREAMS = Metric("streams", GAUGE, "Streams that are set live, by their real state.", ("state",))
STREAMS_WAITING = Metric("streams_waiting", GAUGE, "Live streams that no worker runs, by reason.", ("reason",))
STREAM_DELIVERED = Metric("stream_delivered", GAUGE, "1 if the live stream reaches viewers, else 0.", ("stream_id",))
INGEST_BITRATE = Metric(
    "ingest_bitrate_bits_per_second", GAUGE, "Bit rate of the source of a live stream.", ("stream_id",)
)
SEGMENT_RATE = Metric("segment_rate_per_minute", GAUGE, "Segments published of a live stream.", ("stream_id",))
MANIFEST_AGE = Metric(
    "manifest_age_seconds", GAUGE, "Age of the newest playlist of a live stream.", ("stream_id",), "seconds"
)

WORKERS = Metric("workers", GAUGE, "Workers that reported in the last 20 s.")
WORKER_CAPACITY = Metric("worker_capacity_streams", GAUGE, "Streams that a worker may run.", ("worker_id",))
WORKER_STREAMS = Metric("worker_running_streams", GAUGE, "Streams that a worker runs.", ("worker_id",))
WORKER_AGE = Metric(
    "worker_heartbeat_age_seconds", GAUGE, "Time since a worker's last report, up to 200 s.", ("worker_id",), "seconds"
)

QUEUE_DEPTH = Metric("queue_messages", GAUGE, "Messages: hints for workers (work), dead letters (dead).", ("queue",))
PAGES_BEHIND = Metric("ledger_pages_behind", GAUGE, "Full pages that the last schedule could not move to the ledger.")
CUT_OFF = Metric(
    "cut_off_seconds",
    HISTOGRAM,
    "How long after its end media was sent to a session that ended early.",
    ("end_reason",),
    "seconds",
)
DRIFT = Metric("drift_points", GAUGE, "Points served minus points paid, sessions that ended yesterday and today (UTC).")
DISAGREEING = Metric("disagreeing_sessions", GAUGE, "Sessions of these days whose reconciliation disagrees.")
MISMATCHES = Metric("ledger_mismatches", GAUGE, "Sessions of these days whose ledger differs from their record.")

CANARY_RUNS = Metric("canary_runs", COUNTER, "Runs of the canary by result: ok or failed.", ("result",))
CANARY_OK = Metric("canary_ok", GAUGE, "1 if the last run of the canary worked, else 0. It never ran: missing.")
CANARY_AGE = Metric("canary_age_seconds", GAUGE, "Time since the canary's last report.", (), "seconds")
CANARY_STEP = Metric(
    "canary_step_seconds", GAUGE, "How long a step of the canary's last run took.", ("step",), "seconds"
)
CANARY_STEP_OK = Metric("canary_step_ok", GAUGE, "1 if a step of the canary's last run worked, else 0.", ("step",))

CATALOGUE = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
