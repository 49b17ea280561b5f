"""Health, metrics and error counts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chalicelib.api.models.common import Answer, ListQuery, Request
from chalicelib.api.models.forms import Day
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.operations.error_counts import ErrorCount
from chalicelib.domain.operations.traffic import Answers

AT_MS_MAX = 4_102_444_799_999


class HealthAnswer(Answer):
    """Overall status, and `ok` or `failed` for each dependency."""

    status: Literal["ok", "failed"]
    version: str
    dependencies: dict[str, Literal["ok", "failed"]]


class ReconciliationFigures(Answer):
    """Sessions that ended yesterday or today (UTC) and were reconciled. Drift is points served minus points paid."""

    sessions: int
    disagreeing: int
    ledger_mismatches: int
    drift_points: float


class CacheFigures(Answer):
    """Cache lookups. `hit_ratio` is from 0 to 1, or null without lookups."""

    hits: int
    misses: int
    hit_ratio: float | None


class MediaFigures(Answer):
    """The gateways' answers to media requests. `refusals` is by status and part of the 4xx."""

    media: Answers
    refusals: dict[str, int]
    playlists: CacheFigures
    segments: CacheFigures
    verdicts: CacheFigures


class GatewayFigures(MediaFigures):
    """All answers of the gateways, from their logs, which arrive some 10 s late."""

    api: Answers


class CutOffItem(Answer):
    """Sessions that ended early, and how long after the end the last media byte was sent; 0 if before it.

    Percentiles are upper bounds of histogram buckets, never above the maximum.
    """

    end_reason: EndReason
    sessions: int
    p50_ms: int
    p99_ms: int
    max_ms: int


class MetricsAnswer(Answer):
    """Metrics of the last `window_minutes`. Counters are written every few seconds.

    `watching_sessions` are the active ones that fetched a segment in the last 15 s of the gateways' logs, which arrive
    some 15 s late; null while no log is read. `reconciliation` and `cut_offs` cover yesterday and today (UTC).
    """

    at_ms: int
    window_minutes: int
    active_sessions: int
    watching_sessions: int | None
    points_spent_per_minute: float
    login_failures: int
    playback_errors: int
    audit_failures: int
    reconciliation: ReconciliationFigures
    gateway: GatewayFigures
    cut_offs: list[CutOffItem]


class StreamTrafficQuery(ListQuery):
    """The hour (UTC) that contains `at_ms`, by default the current hour. Data is kept for a week."""

    at_ms: int | None = Field(default=None, ge=0, le=AT_MS_MAX)


class StreamTrafficItem(MediaFigures):
    """The gateways' answers for a stream in the hour that begins at `hour_ms`."""

    stream_id: str
    hour_ms: int


class CutOffQuery(Request):
    """The UTC day, by default today."""

    day: Day | None = None


class HourCutOffItem(CutOffItem):
    """The same for one hour. `histogram` maps an upper bound in ms, or `more`, to a number of sessions."""

    hour_ms: int
    histogram: dict[str, int]


class CutOffsAnswer(Answer):
    """Sessions that ended early, by hour and reason. A session appears some minutes after its end.

    `all_added_up` is false if the day has more sessions than are summed.
    """

    day: str
    all_added_up: bool
    items: list[HourCutOffItem]


class ErrorsAnswer(Answer):
    """Errors by code and route, most frequent first. One that was not returned for 30 days is forgotten.

    A client that gets an error has the request's id in the header `X-Request-ID`; the functions' log has its lines.
    """

    items: list[ErrorCount]
