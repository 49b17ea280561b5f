from contextlib import suppress
from typing import Any

import pytest

from chalicelib.domain.streams.runtime import Claim
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.simple import SetClock
from tests.fakes.streams.runtimes import MemoryRuntimes
from worker.claims import MARGIN_S, RENEW_INTERVAL_S, TTL_MS, HeldClaim, claim_stream


class Times(MemoryRuntimes):
    """Runtimes, which do not answer while `silent`, and both clocks, moved together."""

    silent = False

    def __init__(self) -> None:
        super().__init__()
        self.clock = SetClock()
        self.now_s = 50.0

    def pass_by(self, seconds: float) -> None:
        self.now_s += seconds
        self.clock.advance(int(seconds * 1000))

    def take(self, worker_id: str) -> HeldClaim | None:
        return claim_stream(self, self.clock, "stream-1", worker_id, lambda: self.now_s)

    def renew(self, *claimed: Any) -> Claim | None:
        if self.silent:
            raise StoreUnavailable("silent")
        return super().renew(*claimed)


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
def held_claim(times: Times) -> HeldClaim:
    claim = times.take("w1")
    assert claim
    return claim


def test_a_claim_is_renewed_every_few_seconds_and_no_clock_lengthens_it(times: Times, held_claim: HeldClaim) -> None:
    first = held_claim.claim.expires_at_ms
    assert first == times.clock.now_ms() + TTL_MS
    times.pass_by(RENEW_INTERVAL_S - 0.1)
    held_claim.renew_if_due()
    assert held_claim.claim.expires_at_ms == first
    times.pass_by(0.1)
    held_claim.renew_if_due()
    assert held_claim.claim.expires_at_ms == times.clock.now_ms() + TTL_MS
    assert times.take("w2") is None
    # A clock that jumps back does not lengthen it.
    times.clock.advance(-3_600_000)
    times.now_s += TTL_MS / 1000 - MARGIN_S
    assert not held_claim.is_safe


def test_publishing_stops_before_the_claim_expires(times, held_claim) -> None:
    times.silent = True
    while held_claim.is_safe:
        times.pass_by(0.5)
        with suppress(StoreUnavailable):
            held_claim.renew_if_due()
    assert times.clock.now_ms() <= held_claim.claim.expires_at_ms - int(MARGIN_S * 1000)
    assert times.take("w2") is None
    # The store is back before another worker claimed the stream: it continues.
    times.silent = False
    times.pass_by(MARGIN_S / 2)
    held_claim.renew_if_due()
    assert held_claim.is_safe and not held_claim.is_lost


def test_a_claim_that_another_took_is_lost_for_good(times, held_claim) -> None:
    times.pass_by(TTL_MS / 1000)
    assert not held_claim.is_safe
    assert times.take("w2")
    held_claim.renew_if_due()
    assert held_claim.is_lost and not held_claim.is_safe
    held_claim.release()
    runtime = times.get("stream-1")
    assert runtime and runtime.claim and runtime.claim.worker_id == "w2"
