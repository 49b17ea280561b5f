"""What was served against what was paid."""

from __future__ import annotations

from pydantic import Field

from chalicelib.api.models.common import Answer, ListQuery
from chalicelib.api.models.forms import Day
from chalicelib.api.models.wallets import CreditRequest
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.reconciliation import Finding


class ReconciliationQuery(ListQuery):
    """Which sessions: of a UTC day (today unless given), all of them or only those that do or do not disagree."""

    day: Day | None = None
    disagreeing: bool | None = Field(default=None)


class AdjustRequest(CreditRequest):
    """Points for a session's viewer, or from them: exactly once by the payment id.

    All adjustments of a session together give back at least 0, and at most what it has cost.
    """


class ReconciliationItem(Answer):
    """A session's three figures: the ledger's points, the leases' time, the media that was served.

    `net = lease - refund - outage_credit - adjustment`; `drift` is what was served less what was paid, null where
    nothing could be compared. `cut_off_ms` is how long a session that was ended early (by a kick, an empty wallet, a
    pause of its stream …) was served beyond its end; null for all others, and while that is not known.
    """

    day: str
    session_id: str
    user_id: str
    stream_id: str
    ended_at_ms: int
    end_reason: EndReason
    rate_millipoints_per_minute: int
    lease_millipoints: int
    refund_millipoints: int
    outage_credit_millipoints: int
    adjustment_millipoints: int
    net_millipoints: int
    leases: int
    granted_ms: int
    media_ms: int
    media_bytes: int
    paid_ms: int | None
    drift_ms: int | None
    drift_millipoints: int | None
    cut_off_ms: int | None
    agrees: bool
    reason: Finding
    reconciled_at_ms: int


class DayTotalsAnswer(Answer):
    """The sums of the sessions that ended on a day and are reconciled, which each is some minutes after its end.

    `gateway_…` is what the gateways served on that day to all sessions, so those over midnight count in another way.
    """

    day: str
    day_over: bool = Field(
        description="Whether the day (UTC) is over. Until then the sums grow. Afterwards they change only by its last"
        " sessions, which are reconciled some minutes later, by what is `not_measured` yet, and by adjustments."
    )
    all_added_up: bool = Field(
        description="Whether the sums are of all sessions that the day has so far. False where it has more than are"
        " added up: then they are of a part of them."
    )
    sessions: int
    disagreeing: int
    not_measured: int
    lease_millipoints: int
    refund_millipoints: int
    outage_credit_millipoints: int
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
