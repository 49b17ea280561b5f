"""The rules of selling watching time: what one heartbeat means, given the wallet as it stands.

Source of every case: docs/billing.md, "One beat". All functions are pure; the server's clock comes in as `now_ms`.
"""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.points import MS_PER_MINUTE, affordable_ms, lease_charge, refund
from chalicelib.domain.money.sessions import ActiveSession, SessionKind
from chalicelib.domain.money.wallets import Wallet, daily_left_millipoints

LEASE_MS_DEFAULT, LEASE_MS_MIN, LEASE_MS_MAX = 10_000, 5_000, 60_000
HORIZON_MS_MAX = 5_000
# A lapsed session may be taken up again for this long; the reaper ends it at the same bound.
LATE_MS_MAX = 600_000
# Media stays authorised this long after the paid time, for a beat that is on its way.
GRACE_MS = 5_000
PREVIEW_MS = 600_000
# Added to the moment a beat becomes chargeable, so that an honest client's beat is never a touch too early.
NEXT_BEAT_MARGIN_MS = 250


class Outcome(StrEnum):
    """What became of a heartbeat. The first four sell or grant time; of the rest nothing is charged."""

    ON_TIME = "on_time"
    LATE = "late"
    POOR = "poor"
    UNSERVED = "unserved"
    EARLY = "early"
    REPLAY = "replay"
    STALE = "stale"


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """Time to be granted: the session's new `paid_until_ms`, and what it costs (0 for time that is not served)."""

    outcome: Outcome
    charge_millipoints: int
    granted_ms: int
    paid_from_ms: int
    paid_until_ms: int
    free_from_ms: int
    free_until_ms: int


@dataclass(frozen=True)
class Unchanged:
    """Nothing to sell: answer with the current state."""

    outcome: Outcome


@dataclass(frozen=True)
class Over:
    """The session is to end."""

    reason: EndReason


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What the end of a session gives back and what it amounts to."""

    refund_millipoints: int
    watched_ms: int


def horizon_ms(session: ActiveSession) -> int:
    """How early the next lease may be bought: `min(lease / 2, 5 s)`."""
    return min(session.lease_ms // 2, HORIZON_MS_MAX)


def buy_from_ms(session: ActiveSession) -> int:
    """The first moment at which the next lease is sold; for a preview it lies behind the lease's end, so never."""
    if session.kind is SessionKind.PREVIEW:
        return session.paid_until_ms + 1
    return session.paid_until_ms - horizon_ms(session)


def available_millipoints(wallet: Wallet, session: ActiveSession, now_ms: int) -> int:
    """What the session may still spend: the balance, the rest of the daily cap, or the rest of its own maximum."""
    daily_left = daily_left_millipoints(wallet, now_ms)
    return max(0, min(wallet.balance_millipoints, daily_left, session.budget_millipoints))


def exhausted_reason(wallet: Wallet, session: ActiveSession) -> EndReason:
    """Which of the three it is that has run out."""
    if wallet.balance_millipoints == 0:
        return EndReason.BALANCE_EXHAUSTED
    return EndReason.MAX_POINTS_REACHED if session.budget_millipoints == 0 else EndReason.DAILY_CAP_REACHED


def next_beat_in_ms(wallet: Wallet, session: ActiveSession, now_ms: int) -> int:
    """When the next beat becomes chargeable (or, with nothing left to spend, when it ends the session)."""
    broke = session.charge_millipoints > 0 and available_millipoints(wallet, session, now_ms) == 0
    at_ms = session.paid_until_ms if broke or session.kind is SessionKind.PREVIEW else buy_from_ms(session)
    return max(0, at_ms - now_ms) + NEXT_BEAT_MARGIN_MS


def others_spending(wallet: Wallet, session: ActiveSession, now_ms: int) -> list[ActiveSession]:
    """The other sessions of a wallet that are being watched for points."""
    return [
        other
        for other in wallet.sessions.values()
        if other.session_id != session.session_id
        and other.rate_millipoints_per_minute
        and now_ms <= other.paid_until_ms + GRACE_MS
    ]


def seconds_left(wallet: Wallet, session: ActiveSession, now_ms: int) -> int | None:
    """How long the picture lasts from now: paid time and what the rest of the money buys. None where it is free.

    All sessions that are being watched live on one balance and one daily cap; each has its own maximum.
    """
    paid_ms = max(0, session.paid_until_ms - now_ms)
    if session.kind is SessionKind.PREVIEW:
        return paid_ms // 1000
    if session.rate_millipoints_per_minute == 0:
        return None
    others = sum(other.rate_millipoints_per_minute for other in others_spending(wallet, session, now_ms))
    shared = max(0, min(wallet.balance_millipoints, daily_left_millipoints(wallet, now_ms)))
    shared_ms = shared * MS_PER_MINUTE // (session.rate_millipoints_per_minute + others)
    own_ms = session.budget_millipoints * MS_PER_MINUTE // session.rate_millipoints_per_minute
    return (paid_ms + min(shared_ms, own_ms)) // 1000


def first_purchase(
    wallet: Wallet, *, rate_millipoints_per_minute: int, lease_ms: int, budget_millipoints: int, now_ms: int
) -> Purchase | Over:
    """The lease that a start buys: a shorter one for the exact rest of what may be spent, none if that is nothing."""
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
    """Classify one beat against the wallet as seen. `down_until_ms` is the end of the stream's last outage.

    Replay, stale and early are `Unchanged`; lapsed and empty are `Over`; on time, late, poor and unserved a `Purchase`.
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
    # Media stays authorised for the grace, so a beat within it pays for that time too. After a longer gap nobody knows
    # whether anything was fetched in the grace; a viewer who paused must not pay for it.
    gap = now_ms > session.paid_until_ms + GRACE_MS
    # Nor is a time sold afterwards in which there was nothing to fetch.
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
    # Free time that is not over yet and what is added to it are one stretch: a refund must not pay for any of it, even
    # if that takes in a little paid time between them.
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


def settle(session: ActiveSession, now_ms: int) -> Settlement:
    """The end of a session: all unserved paid time is refunded, free time is not."""
    unserved_ms = max(0, session.paid_until_ms - now_ms)
    free_ms = max(0, min(session.free_until_ms, session.paid_until_ms) - max(session.free_from_ms, now_ms))
    return Settlement(
        refund_millipoints=refund(
            session.rate_millipoints_per_minute, unserved_ms - free_ms, session.charged_millipoints
        ),
        watched_ms=max(0, session.granted_ms - unserved_ms),
    )
