"""Outages of a stream, and what they give back to a session that had paid for time inside them.

An outage begins with the last playlist that named something new, and ends when the stream is live again. Its beginning
is its name. Nobody pays for it: a beat during an outage extends the lease free of charge, and what a lease bought
before had paid for is credited once.
"""

from dataclasses import dataclass, replace

from chalicelib.domain.money.points import refund
from chalicelib.domain.money.sessions import ActiveSession
from chalicelib.domain.streams.runtime import Outage, Runtime, RuntimeState, is_delivered

# A session looks back at its next beat or at its end. The reaper brings that about 10 minutes after its paid time, or
# once it is back from an outage of its own: whoever left a stream that was down must not pay for that one either.
KEPT_MS = 24 * 3_600_000
# Bounds the row, which is read for every beat: 2 KB. ffmpeg is given longer and longer to come back.
KEPT_MAX = 64


@dataclass(frozen=True, kw_only=True)
class OutageCredit:
    """What an outage gives back to a session, and the free time that the session has afterwards."""

    outage_ms: int
    millipoints: int
    free_from_ms: int
    free_until_ms: int


def outages_of(runtime: Runtime | None, now_ms: int) -> tuple[Outage, ...]:
    """The outages that are known, oldest first; the last is still going on if the stream is not delivered now."""
    if runtime is None:
        return ()
    if is_delivered(runtime, now_ms):
        return runtime.outages
    since_ms = runtime.down_since_ms if runtime.down_since_ms is not None else outage_began_ms(runtime, now_ms)
    return (*runtime.outages, Outage(since_ms=since_ms, until_ms=None))


def closed_outages(outages: tuple[Outage, ...]) -> tuple[Outage, ...]:
    """Those that are over."""
    return tuple(outage for outage in outages if outage.until_ms is not None)


def down_until_ms(outages: tuple[Outage, ...], now_ms: int) -> int:
    """When the stream came back last, 0 if it never was down; for one that is down, now."""
    last = outages[-1].until_ms if outages else 0
    return now_ms if last is None else last


def outages_before(outages: tuple[Outage, ...], as_of_ms: int) -> tuple[Outage, ...]:
    """The outages as far as they lie before a moment, from which on nothing is owed for another reason."""
    return tuple(
        replace(each, until_ms=as_of_ms if each.until_ms is None else min(as_of_ms, each.until_ms))
        for each in outages
        if each.since_ms < as_of_ms
    )


def newest_outage_ms(outages: tuple[Outage, ...]) -> int:
    """The name of the newest outage, 0 if there was none."""
    return outages[-1].since_ms if outages else 0


def outage_began_ms(runtime: Runtime, now_ms: int) -> int:
    """When a stream that is not delivered any more was so last: nothing new has come since its last playlist."""
    if runtime.state is RuntimeState.STOPPED or runtime.last_manifest_at_ms is None:
        return now_ms
    return min(runtime.last_manifest_at_ms, now_ms)


def with_outages(before: Runtime | None, report: Runtime, now_ms: int) -> Runtime:
    """A worker's report with the outages that follow from it and from the runtime before."""
    down_since_ms, outages = (before.down_since_ms, before.outages) if before else (None, ())
    if report.state is RuntimeState.LIVE and down_since_ms is not None:
        recent = tuple(each for each in outages if (each.until_ms or 0) > now_ms - KEPT_MS)
        outages = (*recent, Outage(since_ms=down_since_ms, until_ms=now_ms))[-KEPT_MAX:]
        down_since_ms = None
    elif report.state is not RuntimeState.LIVE and down_since_ms is None:
        down_since_ms = outage_began_ms(report, now_ms)
    return replace(report, down_since_ms=down_since_ms, outages=outages)


def next_credit(session: ActiveSession, outages: tuple[Outage, ...], now_ms: int) -> OutageCredit | None:
    """What the oldest outage gives back that the session has not been credited for; None if none owes it anything."""
    over_ms = 0
    for outage in outages:
        credit = _credit(session, outage, over_ms, now_ms) if outage.since_ms > session.outage_ms else None
        if credit is not None:
            return credit
        # A stall may begin, with the last playlist, before it was told that the one before was over.
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
        # The outage goes on, or was told by a clock that is ahead: no refund may pay for its rest again.
        adjoining = session.free_until_ms >= from_ms
        free_from_ms = min(from_ms, session.free_from_ms) if adjoining else from_ms
        free_until_ms = max(until_ms, session.free_until_ms) if adjoining else until_ms
    return OutageCredit(
        outage_ms=outage.since_ms, millipoints=millipoints, free_from_ms=free_from_ms, free_until_ms=free_until_ms
    )
