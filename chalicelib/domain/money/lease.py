"""The rules of selling watching time: the result of a heartbeat for a given wallet.

docs/billing.md, "One heartbeat", lists every case. All functions are pure; `now_ms` is the server's clock.
"""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.points import MS_PER_MINUTE, affordable_ms, lease_charge, refund
from chalicelib.domain.money.sessions import ActiveSession, SessionKind
from chalicelib.domain.money.wallets import Wallet, daily_left_millipoints

LEASE_MS_DEFAULT, LEASE_MS_MIN, LEASE_MS_MAX = 10_000, 5_000, 60_000
HORIZON_MS_MAX = 5_000
# A session may resume this long after its lease; then the reaper ends it.
LATE_MS_MAX = 600_000
# Media stays authorized this long after the paid time, for a heartbeat in flight.
GRACE_MS = 5_000
PREVIEW_MS = 600_000
# How far a session may be served ahead of what it has paid: what a player fetches when it starts eight seconds behind
# the live edge (`streams/pacing.py`).
ALLOWANCE_MS = 8_000
# Added to the time at which a heartbeat becomes chargeable, so that an honest client's is never early.
NEXT_BEAT_MARGIN_MS = 250


class Outcome(StrEnum):
    """The outcome of a heartbeat. The first four sell or grant time; the others charge nothing."""

    ON_TIME = "on_time"
    LATE = "late"
    POOR = "poor"
    UNSERVED = "unserved"
    EARLY = "early"
    REPLAY = "replay"
    STALE = "stale"


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """A lease to grant: the new `paid_until_ms` and its charge (0 if the time is not served)."""

    outcome: Outcome
    charge_millipoints: int
    granted_ms: int
    paid_from_ms: int
    paid_until_ms: int
    free_from_ms: int
    free_until_ms: int


@dataclass(frozen=True)
class Unchanged:
    """Nothing is sold; the response is the current state."""

    outcome: Outcome


@dataclass(frozen=True)
class Over:
    """The session has to end."""

    reason: EndReason


@dataclass(frozen=True, kw_only=True)
class Closing:
    """What the end of a session gives back, keeps for media fetched ahead until its settlement, and its watched time.

    `in_outage` says whether the stream was down at the end.
    """

    refund_millipoints: int
    watched_ms: int
    reserved_millipoints: int = 0
    in_outage: bool = False


def horizon_ms(session: ActiveSession) -> int:
    """Return how early the next lease may be bought: `min(lease / 2, 5 s)`."""
    return min(session.lease_ms // 2, HORIZON_MS_MAX)


def buy_from_ms(session: ActiveSession) -> int:
    """Return when the next lease is sold from. For a preview this is after the lease's end, so never."""
    if session.kind is SessionKind.PREVIEW:
        return session.paid_until_ms + 1
    return session.paid_until_ms - horizon_ms(session)


def available_millipoints(wallet: Wallet, session: ActiveSession, now_ms: int) -> int:
    """Return what the session may still spend: the least of balance, daily cap and its own maximum."""
    daily_left = daily_left_millipoints(wallet, now_ms)
    return max(0, min(wallet.balance_millipoints, daily_left, session.budget_millipoints))


def exhausted_reason(wallet: Wallet, session: ActiveSession) -> EndReason:
    """Return which of the three is exhausted."""
    if wallet.balance_millipoints == 0:
        return EndReason.BALANCE_EXHAUSTED
    return EndReason.MAX_POINTS_REACHED if session.budget_millipoints == 0 else EndReason.DAILY_CAP_REACHED


def next_beat_in_ms(wallet: Wallet, session: ActiveSession, now_ms: int) -> int:
    """Return when the next heartbeat becomes chargeable or, without points, ends the session."""
    broke = session.charge_millipoints > 0 and available_millipoints(wallet, session, now_ms) == 0
    at_ms = session.paid_until_ms if broke or session.kind is SessionKind.PREVIEW else buy_from_ms(session)
    return max(0, at_ms - now_ms) + NEXT_BEAT_MARGIN_MS


def is_final(wallet: Wallet, session: ActiveSession, now_ms: int) -> bool:
    """Return whether balance, daily cap or maximum allow no lease after the current one.

    The daily cap is the one at the end of the paid time: a lease that ends after midnight is followed by another.
    """
    lease_end_ms = max(now_ms, session.paid_until_ms)
    return session.charge_millipoints > 0 and available_millipoints(wallet, session, lease_end_ms) == 0


def others_spending(wallet: Wallet, session: ActiveSession, now_ms: int) -> list[ActiveSession]:
    """Return the wallet's other sessions that are being watched for points."""
    return [
        other
        for other in wallet.sessions.values()
        if other.session_id != session.session_id
        and other.rate_millipoints_per_minute
        and now_ms <= other.paid_until_ms + GRACE_MS
    ]


def seconds_left(wallet: Wallet, session: ActiveSession, now_ms: int) -> int | None:
    """Return how long the session can go on: paid time and what the remaining points buy. None if free.

    All sessions being watched share one balance and one daily cap; each has its own maximum.
    """
    paid_ms = max(0, session.paid_until_ms - now_ms)
    if session.kind is SessionKind.PREVIEW:
        return paid_ms // 1000
    if session.rate_millipoints_per_minute == 0:
        return None
    others = sum(other.rate_millipoints_per_minute for other in others_spending(wallet, session, now_ms))
    shared = max(0, min(wallet.balance_millipoints, daily_left_millipoints(wallet, now_ms)))
    shared_ms = shared * MS_PER_MINUTE // (session.rate_millipoints_per_minute + others)
    budget_ms = session.budget_millipoints * MS_PER_MINUTE // session.rate_millipoints_per_minute
    return (paid_ms + min(shared_ms, budget_ms)) // 1000


def first_purchase(
    wallet: Wallet, *, rate_millipoints_per_minute: int, lease_ms: int, budget_millipoints: int, now_ms: int
) -> Purchase | Over:
    """Return the lease that a start buys: a shorter one for a small remainder, `Over` for none."""
    charge = lease_charge(rate_millipoints_per_minute, lease_ms)
    available = max(0, min(wallet.balance_millipoints, daily_left_millipoints(wallet, now_ms), budget_millipoints))
    if charge > 0 and available == 0:
        return Over(EndReason.DAILY_CAP_REACHED if wallet.balance_millipoints else EndReason.BALANCE_EXHAUSTED)
    outcome = Outcome.ON_TIME
    if available < charge:
        outcome, charge = Outcome.POOR, available
        lease_ms = affordable_ms(available, rate_millipoints_per_minute)
    return Purchase(
        outcome=outcome,
        charge_millipoints=charge,
        granted_ms=lease_ms,
        paid_from_ms=now_ms,
        paid_until_ms=now_ms + lease_ms,
        free_from_ms=0,
        free_until_ms=0,
    )


def decide(
    wallet: Wallet, session: ActiveSession, seq: int, now_ms: int, *, delivered: bool, down_until_ms: int = 0
) -> Purchase | Unchanged | Over:
    """Decide on a heartbeat for the wallet as read. `down_until_ms` is the end of the stream's last outage.

    Replay, stale and early give `Unchanged`; expired and empty give `Over`; the others a `Purchase`.
    """
    if seq <= session.seq:
        return Unchanged(Outcome.REPLAY if seq == session.seq else Outcome.STALE)
    if now_ms > session.paid_until_ms + LATE_MS_MAX:
        return Over(EndReason.LEASE_EXPIRED)
    if session.kind is SessionKind.PREVIEW:
        return Unchanged(Outcome.EARLY) if now_ms <= session.paid_until_ms else Over(EndReason.LEASE_EXPIRED)
    if now_ms < buy_from_ms(session):
        return Unchanged(Outcome.EARLY)
    if not delivered:
        return _grant_unserved(session, now_ms)
    available = available_millipoints(wallet, session, now_ms)
    if available == 0 and session.charge_millipoints > 0:
        if now_ms < session.paid_until_ms:
            return Unchanged(Outcome.EARLY)
        return Over(exhausted_reason(wallet, session))
    return _sell(session, available, now_ms, down_until_ms)


def _sell(session: ActiveSession, available: int, now_ms: int, down_until_ms: int) -> Purchase:
    late = now_ms > session.paid_until_ms
    # Media stays authorized in the grace, so a heartbeat within it pays for that time. After a longer gap it is unknown
    # whether the grace was used, and a viewer who paused must not pay for it.
    gap = now_ms > session.paid_until_ms + GRACE_MS
    # Time in which there was nothing to fetch is not sold either.
    gap = gap or session.paid_until_ms < down_until_ms <= now_ms
    outcome = Outcome.LATE if late else Outcome.ON_TIME
    charge, lease = session.charge_millipoints, session.lease_ms
    if available < charge:
        outcome, charge = Outcome.POOR, available
        lease = min(lease, affordable_ms(available, session.rate_millipoints_per_minute))
    return Purchase(
        outcome=outcome,
        charge_millipoints=charge,
        granted_ms=lease,
        # The gap was not served, so it is neither granted nor charged.
        paid_from_ms=now_ms if gap else session.paid_from_ms,
        paid_until_ms=(now_ms if gap else session.paid_until_ms) + lease,
        free_from_ms=session.free_from_ms,
        free_until_ms=session.free_until_ms,
    )


def _grant_unserved(session: ActiveSession, now_ms: int) -> Purchase:
    start_ms = max(now_ms, session.paid_until_ms)
    until_ms = start_ms + session.lease_ms
    # Free time that is not over merges with the new free time, so that no refund pays for it. A little paid time
    # between them becomes free as well.
    adjoining = session.free_until_ms >= now_ms
    return Purchase(
        outcome=Outcome.UNSERVED,
        charge_millipoints=0,
        granted_ms=session.lease_ms,
        paid_from_ms=session.paid_from_ms if now_ms <= session.paid_until_ms + GRACE_MS else now_ms,
        paid_until_ms=until_ms,
        free_from_ms=session.free_from_ms if adjoining else start_ms,
        free_until_ms=until_ms,
    )


def fetchable_ms(wallet: Wallet, session: ActiveSession, now_ms: int) -> int:
    """Return how much media a session may have fetched: what it was granted, and what it can pay of its allowance.

    So with the last lease there is no allowance, and a viewer who watches to the last point is charged nothing later.
    """
    ahead_ms, rate = allowance_ms(session.granted_ms), session.rate_millipoints_per_minute
    if session.charge_millipoints > 0:
        # As in `is_final`, the daily cap is that at the end of the paid time.
        available = available_millipoints(wallet, session, max(now_ms, session.paid_until_ms))
        ahead_ms = min(ahead_ms, available * MS_PER_MINUTE // rate)
    return session.granted_ms + ahead_ms


def allowance_ms(granted_ms: int) -> int:
    """Return how far ahead of its payment a session may be served: 8 s, and never more than it was granted."""
    return min(ALLOWANCE_MS, granted_ms)


def close(session: ActiveSession, now_ms: int, *, reserves: bool = False, in_outage: bool = False) -> Closing:
    """Return the closing of a session: unserved paid time is refunded, free time is not.

    With `reserves`, as much of the refund as the allowance costs waits for the settlement.
    """
    unserved_ms = max(0, session.paid_until_ms - now_ms)
    free_ms = max(0, min(session.free_until_ms, session.paid_until_ms) - max(session.free_from_ms, now_ms))
    rate, charged = session.rate_millipoints_per_minute, session.charged_millipoints
    whole = refund(rate, unserved_ms - free_ms, charged)
    at_once_ms = unserved_ms - free_ms - (allowance_ms(session.granted_ms) if reserves else 0)
    at_once = refund(rate, at_once_ms, charged)
    return Closing(
        refund_millipoints=at_once,
        reserved_millipoints=whole - at_once,
        watched_ms=max(0, session.granted_ms - unserved_ms),
        in_outage=in_outage,
    )
