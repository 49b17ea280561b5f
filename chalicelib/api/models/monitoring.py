"""Health, figures, errors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chalicelib.api.models.common import Answer, ListQuery, Request
from chalicelib.api.models.forms import Day
from chalicelib.domain.end_reasons import EndReason

AT_MS_MAX = 4_102_444_799_999


class HealthAnswer(Answer):
    """Up, and what it depends on: `ok` or `failed` each."""

    status: Literal["ok", "failed"]
    version: str
    dependencies: dict[str, Literal["ok", "failed"]]


class ReconciliationFigures(Answer):
    """Sessions that ended yesterday or today (UTC) and were reconciled. Drift: points served less points paid."""

    sessions: int
    disagreeing: int
    drift_points: float


class AnswerFigures(Answer):
    """Answers by class of status. `closed`: the client was gone before; `egress_bytes` are of all that went out."""

    answers_2xx: int
    answers_3xx: int
    answers_4xx: int
    answers_5xx: int
    closed: int
    egress_bytes: int


class CacheFigures(Answer):
    """How often the gateway had a copy. `hit_ratio` is from 0 to 1, null where nothing was looked for."""

    hits: int
    misses: int
    hit_ratio: float | None


class MediaFigures(Answer):
    """Media that the gateways answered. `refusals` are by status, and among the 4xx."""

    media: AnswerFigures
    refusals: dict[str, int]
    playlists: CacheFigures
    segments: CacheFigures
    verdicts: CacheFigures


class GatewayFigures(MediaFigures):
    """All that the gateways answered; from their logs, which arrive some 10 s later."""

    api: AnswerFigures


class CutOffItem(Answer):
    """Sessions that ended early, and how long after their end the last byte of media went out: 0 if before it.

    Percentiles are upper bounds of a histogram's parts, and never more than the longest.
    """

    end_reason: EndReason
    sessions: int
    p50_ms: int
    p99_ms: int
    max_ms: int


class MetricsAnswer(Answer):
    """Figures of the last `window_minutes`; counters are written every few seconds.

    `reconciliation` and `cut_offs` are of yesterday and today (UTC).
    """

    at_ms: int
    window_minutes: int
    active_sessions: int
    points_spent_per_minute: float
    login_failures: int
    playback_errors: int
    audit_failures: int
    reconciliation: ReconciliationFigures
    gateway: GatewayFigures
    cut_offs: list[CutOffItem]


class StreamTrafficQuery(ListQuery):
    """Of which hour (UTC): that of a moment, the present one unless given. A week is kept."""

    at_ms: int | None = Field(default=None, ge=0, le=AT_MS_MAX)


class StreamTrafficItem(MediaFigures):
    """What the gateways answered for a stream in the hour that begins at `hour_ms`."""

    stream_id: str
    hour_ms: int


class CutOffQuery(Request):
    """Of which day: today (UTC) unless given."""

    day: Day | None = None


class HourCutOffItem(CutOffItem):
    """The same of one hour. `histogram` has the number of sessions by the most ms that it took, `more` beyond these."""

    hour_ms: int
    histogram: dict[str, int]


class CutOffsAnswer(Answer):
    """Each hour's sessions that ended early, by reason; each is in it some minutes after its end.

    Where the day has more sessions than are added up, `all_added_up` is false.
    """

    day: str
    all_added_up: bool
    items: list[HourCutOffItem]


class ErrorItem(Answer):
    """How often an answer of this status and code was given in the last hour."""

    status: int
    code: str
    count: int
    last_minute_ms: int


class ErrorsAnswer(Answer):
    """The last hour's refusals and failures, the most frequent first."""

    items: list[ErrorItem]
