"""Health, figures, errors."""

from __future__ import annotations

from typing import Literal

from chalicelib.api.models.common import Answer


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


class MetricsAnswer(Answer):
    """Figures of the last `window_minutes`; counters are written every few seconds."""

    at_ms: int
    window_minutes: int
    active_sessions: int
    points_spent_per_minute: float
    login_failures: int
    playback_errors: int
    audit_failures: int
    reconciliation: ReconciliationFigures


class ErrorItem(Answer):
    """How often an answer of this status and code was given in the last hour."""

    status: int
    code: str
    count: int
    last_minute_ms: int


class ErrorsAnswer(Answer):
    """The last hour's refusals and failures, the most frequent first."""

    items: list[ErrorItem]
