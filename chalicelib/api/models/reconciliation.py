"""Reconciliation: what was served compared with what was paid."""

from __future__ import annotations

from pydantic import Field

from chalicelib.api.models.common import Answer, ListQuery
from chalicelib.api.models.forms import Day
from chalicelib.api.models.wallets import PointsRequest


class ReconciliationQuery(ListQuery):
    """Sessions of a UTC day (by default today), optionally only those that disagree or only those that agree."""

    day: Day | None = None
    disagreeing: bool | None = Field(default=None)


class AdjustRequest(PointsRequest):
    """Points for a session's viewer, or from them, exactly once for each payment id.

    All adjustments of a session together give back at least 0 and at most its cost.
    """


class DayTotalsAnswer(Answer):
    """Sums over the reconciled sessions that ended on a day. A session is reconciled some minutes after its end.

    `gateway_…` is what the gateways served on that day to all sessions, so sessions across midnight count differently.
    """

    day: str
    day_over: bool = Field(
        description="Whether the UTC day is over. Until then the sums grow. Later they change only by its last"
        " sessions, which are reconciled some minutes later, by sessions still `not_measured`, and by adjustments."
    )
    all_added_up: bool = Field(
        description="Whether the sums cover all sessions of the day so far. False if there are too many to sum."
    )
    sessions: int
    disagreeing: int
    ledger_mismatches: int
    not_measured: int
    lease_millipoints: int
    refund_millipoints: int
    outage_credit_millipoints: int
    served_ahead_millipoints: int
    unserved_credit_millipoints: int
    debt_millipoints: int
    debt_payment_millipoints: int
    adjustment_millipoints: int
    net_millipoints: int
    leases: int
    granted_ms: int
    paid_ms: int
    media_ms: int
    media_bytes: int
    drift_ms: int
    drift_millipoints: int
    gateway_media_ms: int
    gateway_media_bytes: int
