"""Outages of a stream, and the credits for sessions that paid for time in them.

An outage begins with the last playlist that had new media and ends when the stream is live again. Its start time is its
id. Viewers do not pay for it: a heartbeat in an outage extends the lease free of charge, and the part of an earlier
lease inside the outage is credited once.
"""

from dataclasses import dataclass, replace

from chalicelib.domain.money.lease import GRACE_MS
from chalicelib.domain.money.points import refund
from chalicelib.domain.money.sessions import ActiveSession
from chalicelib.domain.streams.runtime import Outage, Runtime, RuntimeState, is_delivered

# Outages are credited at a session's next heartbeat or at its end. The reaper ends it 10 minutes after its paid time,
# or later if the reaper itself was down, so outages are kept for a day.
KEPT_MS = 24 * 3_600_000
# Bounds the row, which is read at every heartbeat: 2 KB. Restarts of the encoder back off, so outages are few.
KEPT_MAX = 64


@dataclass(frozen=True, kw_only=True)
class OutageCredit:
    """The credit of a session for an outage, and its free time afterwards."""

    outage_ms: int
    millipoints: int
    free_from_ms: int
    free_until_ms: int


def outages_of(runtime: Runtime | None, now_ms: int) -> tuple[Outage, ...]:
    """Return the known outages, oldest first. The last is open if the stream is not delivered now."""
    if runtime is None:
        return ()
    if is_delivered(runtime, now_ms):
        return runtime.outages
    since_ms = runtime.down_since_ms if runtime.down_since_ms is not None else outage_began_ms(runtime, now_ms)
    return (*runtime.outages, Outage(since_ms=since_ms, until_ms=None))


def closed_outages(outages: tuple[Outage, ...]) -> tuple[Outage, ...]:
    """Return the outages that have ended."""
    return tuple(outage for outage in outages if outage.until_ms is not None)


def down_until_ms(outages: tuple[Outage, ...], now_ms: int) -> int:
    """Return when the stream last came back: 0 if it was never down, now if it is down."""
    last = outages[-1].until_ms if outages else 0
    return now_ms if last is None else last


def outages_before(outages: tuple[Outage, ...], as_of_ms: int) -> tuple[Outage, ...]:
    """Return the outages cut to the time before `as_of_ms`."""
    return tuple(
        replace(each, until_ms=as_of_ms if each.until_ms is None else min(as_of_ms, each.until_ms))
        for each in outages
        if each.since_ms < as_of_ms
    )


def newest_outage_ms(outages: tuple[Outage, ...]) -> int:
    """Return the id of the newest outage, 0 if there was none."""
    return outages[-1].since_ms if outages else 0


def outage_began_ms(runtime: Runtime, now_ms: int) -> int:
    """Return when a stream that is not delivered was last delivered: at its last playlist."""
    if runtime.state is RuntimeState.STOPPED or runtime.last_manifest_at_ms is None:
        return now_ms
    return min(runtime.last_manifest_at_ms, now_ms)


def with_outages(before: Runtime | None, report: Runtime, now_ms: int) -> Runtime:
    """Return a worker's report with the outages that follow from it and the previous runtime."""
    down_since_ms, outages = (before.down_since_ms, before.outages) if before else (None, ())
    if report.state is RuntimeState.LIVE and down_since_ms is not None:
        recent = tuple(each for each in outages if (each.until_ms or 0) > now_ms - KEPT_MS)
        outages = (*recent, Outage(since_ms=down_since_ms, until_ms=now_ms))[-KEPT_MAX:]
        down_since_ms = None
    elif report.state is not RuntimeState.LIVE and down_since_ms is None:
        down_since_ms = outage_began_ms(report, now_ms)
    return replace(report, down_since_ms=down_since_ms, outages=outages)


def is_down_for(session: ActiveSession, outages: tuple[Outage, ...]) -> bool:
    """Return whether the stream is down since before the session's lease and its grace were over.

    A session that lapsed earlier was served until then, and ends ten minutes later.
    """
    return bool(outages) and outages[-1].until_ms is None and outages[-1].since_ms <= session.paid_until_ms + GRACE_MS


def next_credit(session: ActiveSession, outages: tuple[Outage, ...], now_ms: int) -> OutageCredit | None:
    """Return the credit for the oldest outage that the session was not credited for, or None."""
    over_ms = 0
    for outage in outages:
        credit = _credit(session, outage, over_ms, now_ms) if outage.since_ms > session.outage_ms else None
        if credit is not None:
            return credit
        # A stall begins with the last playlist, which may be before the report that ended the previous one.
        over_ms = max(over_ms, outage.until_ms or 0)
    return None


def _credit(session: ActiveSession, outage: Outage, over_ms: int, now_ms: int) -> OutageCredit | None:
    from_ms = max(outage.since_ms, session.paid_from_ms, over_ms)
    until_ms = session.paid_until_ms if outage.until_ms is None else min(outage.until_ms, session.paid_until_ms)
    free_ms = max(0, min(until_ms, session.free_until_ms) - max(from_ms, session.free_from_ms))
    millipoints = refund(session.rate_millipoints_per_minute, until_ms - from_ms - free_ms, session.charged_millipoints)
    if millipoints == 0:
        return None
    free_from_ms, free_until_ms = session.free_from_ms, session.free_until_ms
    if outage.until_ms is None or until_ms > now_ms:
        # The outage is open, or its end comes from a clock that is ahead: no refund may credit its rest again.
        adjoining = session.free_until_ms >= from_ms
        free_from_ms = min(from_ms, session.free_from_ms) if adjoining else from_ms
        free_until_ms = max(until_ms, session.free_until_ms) if adjoining else until_ms
    return OutageCredit(
        outage_ms=outage.since_ms, millipoints=millipoints, free_from_ms=free_from_ms, free_until_ms=free_until_ms
    )
