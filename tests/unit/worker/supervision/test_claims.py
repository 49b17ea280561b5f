from collections.abc import Callable
from contextlib import suppress

import pytest

from chalicelib.domain.streams.runtime import Claim
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.simple import SetClock
from tests.fakes.streams.runtimes import MemoryRuntimes
from worker.claims import MARGIN_S, RENEW_INTERVAL_S, TTL_MS, HeldClaim, claim_stream


class Times:
    """Both clocks, moved together."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.now_s = 50.0

    def pass_by(self, seconds: float) -> None:
        self.now_s += seconds
        self.clock.advance(int(seconds * 1000))

    @property
    def monotonic(self) -> Callable[[], float]:
        return lambda: self.now_s


class SilentRuntimes(MemoryRuntimes):
    """Runtimes that do not answer while `silent`."""

    silent = False

    def renew(self, claim: Claim, now_ms: int, expires_at_ms: int, last_manifest_at_ms: int | None) -> Claim | None:
        if self.silent:
            raise StoreUnavailable("silent")
        return super().renew(claim, now_ms, expires_at_ms, last_manifest_at_ms)


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
def runtimes() -> SilentRuntimes:
    return SilentRuntimes()


@pytest.fixture
def held_claim(runtimes: SilentRuntimes, times: Times) -> HeldClaim:
    claim = claim_stream(runtimes, times.clock, "stream-1", "w1", times.monotonic)
    assert claim
    return claim


def test_a_claim_is_renewed_every_few_seconds(runtimes: SilentRuntimes, times: Times, held_claim: HeldClaim) -> None:
    first = held_claim.claim.expires_at_ms
    assert first == times.clock.now_ms() + TTL_MS
    times.pass_by(RENEW_INTERVAL_S - 0.1)
    held_claim.renew_if_due()
    assert held_claim.claim.expires_at_ms == first
    times.pass_by(0.1)
    held_claim.renew_if_due()
    assert held_claim.claim.expires_at_ms == times.clock.now_ms() + TTL_MS
    assert claim_stream(runtimes, times.clock, "stream-1", "w2", times.monotonic) is None


def test_publishing_stops_before_the_claim_expires(
    runtimes: SilentRuntimes, times: Times, held_claim: HeldClaim
) -> None:
    runtimes.silent = True
    while held_claim.is_safe:
        times.pass_by(0.5)
        with suppress(StoreUnavailable):
            held_claim.renew_if_due()
    assert times.clock.now_ms() <= held_claim.claim.expires_at_ms - int(MARGIN_S * 1000)
    assert claim_stream(runtimes, times.clock, "stream-1", "w2", times.monotonic) is None
    # The store is back before another worker claimed the stream: it continues.
    runtimes.silent = False
    times.pass_by(MARGIN_S / 2)
    held_claim.renew_if_due()
    assert held_claim.is_safe and not held_claim.is_lost


def test_a_claim_that_another_took_is_lost_for_good(
    runtimes: SilentRuntimes, times: Times, held_claim: HeldClaim
) -> None:
    times.pass_by(TTL_MS / 1000)
    assert not held_claim.is_safe
    assert claim_stream(runtimes, times.clock, "stream-1", "w2", times.monotonic)
    held_claim.renew_if_due()
    assert held_claim.is_lost and not held_claim.is_safe
    held_claim.release()
    runtime = runtimes.get("stream-1")
    assert runtime and runtime.claim and runtime.claim.worker_id == "w2"


def test_a_clock_that_jumps_back_does_not_lengthen_the_claim(times: Times, held_claim: HeldClaim) -> None:
    times.clock.advance(-3_600_000)
    times.now_s += TTL_MS / 1000 - MARGIN_S
    assert not held_claim.is_safe
