"""The rules of reconciliation: what a session paid compared with what the gateways served.

A session paid for time: its leases minus refund, outage credits and adjustments, and its settlement. The gateways
served media for some ms.
Both come from independent sources, and every ended session is checked against both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.cut_offs import EARLY, CutOffs, CutOffStats, cut_off_ms, histograms
from chalicelib.domain.money.lease import GRACE_MS
from chalicelib.domain.money.measuring import GIVE_UP_MS
from chalicelib.domain.money.points import MS_PER_MINUTE
from chalicelib.domain.money.sessions import SessionKind, SessionRecord
from chalicelib.domain.money.usage import Served, day_of
from chalicelib.domain.money.wallets import Entry, EntryKind

# Delay from a session's end to its reconciliation. Its log is complete after `LOG_ARRIVES_MS`, plus 5 s until nginx's
# lines are read and 10 s between two reports of a follower: 75 s. The schedule runs once a minute, for 20 s at most, so
# a session is settled 90 to 170 s after its end, less than the 3 minutes that `docs/billing.md` names.
RECONCILE_AFTER_MS = 90_000
# Retries while no log arrives: with growing waits, for a day.
RETRY_MS_MIN = 60_000

# Tolerated difference between served and paid time; see `tolerance_ms`.
TOLERANCE_MS = 20_000
TOLERANCE_PERCENT = 5
# A player starts three segments before the end of a live playlist (RFC 8216, section 6.3.3), fetches them at once,
# and fetches whole segments only.
SEGMENTS_AHEAD = 3 + 1


class Finding(StrEnum):
    """The result of a reconciliation."""

    OK = "ok"
    # The ledger differs from the session's record. This is never tolerated.
    LEDGER_MISMATCH = "ledger_mismatch"
    PAID_NOT_SERVED = "paid_not_served"
    SERVED_NOT_PAID = "served_not_paid"
    # A credit that the stage's settings do not allow; an operator decides.
    CREDIT_WITHHELD = "credit_withheld"
    # No log follower has reported for the session's time.
    NOT_MEASURED = "not_measured"
    # A free session has nothing to compare.
    FREE = "free"


AGREEING = frozenset({Finding.OK, Finding.FREE})


@dataclass(frozen=True, kw_only=True)
class SessionReconciliation:
    """A session's ledger amounts, lease times and served media.

    Amounts are millipoints: `net = lease - refund - outage_credit - adjustment + served_ahead - unserved_credit`, where
    a positive adjustment gave points to the viewer. The settlement's `debt` counts as paid, but is not in `net`.
    `drift` is served minus paid; it and `paid_ms` are empty if nothing could be compared.
    `cut_off_ms` is how long a session that ended early was still served; empty for other sessions and while it is
    unknown.
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
    served_ahead_millipoints: int
    unserved_credit_millipoints: int
    debt_millipoints: int
    debt_payment_millipoints: int
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


@dataclass(frozen=True, kw_only=True)
class DayTotals:
    """The sums over the sessions that ended on a UTC day. `all_added_up` is False if there are too many to sum.

    Drifts are signed, so those of different sessions may cancel; `disagreeing` counts sessions.
    """

    day: str
    sessions: int = 0
    disagreeing: int = 0
    ledger_mismatches: int = 0
    not_measured: int = 0
    lease_millipoints: int = 0
    refund_millipoints: int = 0
    outage_credit_millipoints: int = 0
    served_ahead_millipoints: int = 0
    unserved_credit_millipoints: int = 0
    debt_millipoints: int = 0
    debt_payment_millipoints: int = 0
    adjustment_millipoints: int = 0
    net_millipoints: int = 0
    leases: int = 0
    granted_ms: int = 0
    paid_ms: int = 0
    media_ms: int = 0
    media_bytes: int = 0
    drift_ms: int = 0
    drift_millipoints: int = 0
    cut_offs: tuple[CutOffs, ...] = ()
    all_added_up: bool = True


@dataclass(frozen=True, kw_only=True)
class ReconciliationFigures:
    """Yesterday and today (UTC) together, as of the last run."""

    sessions: int
    disagreeing: int
    ledger_mismatches: int
    drift_points: float
    cut_offs: list[CutOffStats]


# The fields that a day sums over its sessions.
SUMMED = (DayTotals.__dataclass_fields__.keys() & SessionReconciliation.__dataclass_fields__.keys()) - {"day"}


def reconcile(
    record: SessionRecord, entries: Sequence[Entry], served: Served | None, now_ms: int, *, measured: bool
) -> SessionReconciliation:
    """Compare an ended session's ledger lines with its record and with what it was served.

    `measured` says whether the gateways' logs of its time are complete; `served` is None if nothing was served. Raise
    `ValueError` for a session that has not ended.
    """
    if record.ended_at_ms is None or record.end_reason is None:
        raise ValueError(f"the session {record.session_id} has not ended")
    by_kind = {kind: sum(e.delta_millipoints for e in entries if e.kind is kind) for kind in EntryKind}
    leased = -by_kind[EntryKind.LEASE] - by_kind[EntryKind.UNSERVED]
    returned = by_kind[EntryKind.REFUND] + by_kind[EntryKind.OUTAGE_CREDIT]
    adjusted = by_kind[EntryKind.ADJUSTMENT]
    ahead, credited = -by_kind[EntryKind.SERVED_AHEAD], by_kind[EntryKind.UNSERVED_CREDIT]
    net, rate = leased - returned - adjusted + ahead - credited, record.rate_millipoints_per_minute
    debt = record.settled_debt_millipoints or 0
    media, free = served or Served(), rate == 0 or record.kind is SessionKind.PREVIEW
    paid_ms = None if free else (net + debt) * MS_PER_MINUTE // rate
    drift_ms = media.media_ms - paid_ms if measured and paid_ms is not None else None
    agreed = net + adjusted == record.charged_millipoints
    agreed = agreed and ahead + debt - credited == -(record.settled_millipoints or 0)
    agreed = agreed and by_kind[EntryKind.REFUND] == record.refunded_millipoints
    if not agreed:
        reason = Finding.LEDGER_MISMATCH
    elif paid_ms is None:
        reason = Finding.FREE
    elif drift_ms is None:
        reason = Finding.NOT_MEASURED
    else:
        reason = _compare(record, entries, media, paid_ms, drift_ms)
    return SessionReconciliation(
        day=day_of(record.ended_at_ms),
        session_id=record.session_id,
        user_id=record.user_id,
        stream_id=record.stream_id,
        ended_at_ms=record.ended_at_ms,
        end_reason=record.end_reason,
        rate_millipoints_per_minute=rate,
        lease_millipoints=leased,
        refund_millipoints=by_kind[EntryKind.REFUND],
        outage_credit_millipoints=by_kind[EntryKind.OUTAGE_CREDIT],
        served_ahead_millipoints=ahead,
        unserved_credit_millipoints=credited,
        debt_millipoints=debt,
        debt_payment_millipoints=record.debt_payment_millipoints,
        adjustment_millipoints=adjusted,
        net_millipoints=net,
        leases=sum(entry.kind in (EntryKind.LEASE, EntryKind.UNSERVED) for entry in entries),
        granted_ms=record.granted_ms or 0,
        media_ms=media.media_ms,
        media_bytes=media.media_bytes,
        paid_ms=paid_ms,
        drift_ms=drift_ms,
        drift_millipoints=None if drift_ms is None else media.media_ms * rate // MS_PER_MINUTE - net - debt,
        cut_off_ms=cut_off_ms(record.ended_at_ms, record.end_reason, media.last_at_ms) if measured else None,
        agrees=reason in AGREEING,
        reason=reason,
        reconciled_at_ms=now_ms,
    )


def tolerance_ms(paid_ms: int, segment_ms: int) -> int:
    """Return how far served and paid time may differ: the maximum of

    - what is fetched and not watched at the end, plus the grace, in which media stays authorized;
    - 20 s, for a slow start, a stop before the picture, and clock differences between machines;
    - 5 % of what was paid, for what the log leaves out: transfers that are still sent when it is compared.

    A pause causes no difference beyond the running lease: a paused viewer neither pays nor fetches.
    """
    return max(TOLERANCE_MS, SEGMENTS_AHEAD * segment_ms + GRACE_MS, paid_ms * TOLERANCE_PERCENT // 100)


def _compare(record: SessionRecord, entries: Sequence[Entry], media: Served, paid_ms: int, drift_ms: int) -> Finding:
    segment_ms = media.media_ms // media.segments if media.segments else 0
    tolerated = tolerance_ms(paid_ms, segment_ms)
    unserved = record.rate_millipoints_per_minute * -(record.settled_ms or 0) // MS_PER_MINUTE
    # Within a segment, a withheld credit is not worth an operator's time.
    if (record.settled_millipoints or 0) < unserved and drift_ms < -segment_ms:
        return Finding.CREDIT_WITHHELD
    # After a lost connection, the running lease is spent.
    spent_ms = record.lease_ms if record.end_reason is EndReason.LEASE_EXPIRED else 0
    if drift_ms < -(tolerated + spent_ms):
        return Finding.PAID_NOT_SERVED
    # Time granted free of charge while the stream was down may have been served after all.
    given_ms = record.lease_ms * sum(entry.kind is EntryKind.UNSERVED for entry in entries)
    return Finding.SERVED_NOT_PAID if drift_ms > tolerated + given_ms else Finding.OK


def next_try_ms(row: SessionReconciliation) -> int | None:
    """Return when to reconcile the session again; None if its result can no longer change by itself."""
    waited_ms = row.reconciled_at_ms - row.ended_at_ms
    unknown = row.reason is Finding.NOT_MEASURED or (row.cut_off_ms is None and row.end_reason in EARLY)
    if not unknown or waited_ms > GIVE_UP_MS:
        return None
    return row.reconciled_at_ms + max(RETRY_MS_MIN, waited_ms // 2)


def add_up(day: str, rows: Sequence[SessionReconciliation], *, all_added_up: bool = True) -> DayTotals:
    """Return the sums over the rows of one day."""
    return DayTotals(
        day=day,
        sessions=len(rows),
        disagreeing=sum(not row.agrees for row in rows),
        ledger_mismatches=sum(row.reason is Finding.LEDGER_MISMATCH for row in rows),
        not_measured=sum(row.reason is Finding.NOT_MEASURED for row in rows),
        all_added_up=all_added_up,
        cut_offs=histograms(
            (row.ended_at_ms, row.end_reason, row.cut_off_ms) for row in rows if row.cut_off_ms is not None
        ),
        **{name: sum(getattr(row, name) or 0 for row in rows) for name in SUMMED},
    )
