"""Whether the logs of gateways are followed, as ends of sessions ask."""

import pytest

from chalicelib.domain.money.measuring import FOLLOWER_GONE_MS
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.money.metering import CACHE_MS, Metering
from tests.fakes.money.usage import MemoryUsage
from tests.fakes.simple import SetClock


def test_a_log_is_followed_while_a_follower_reports() -> None:
    usage, clock = MemoryUsage(), SetClock()
    metering = Metering(usage, clock)
    assert not metering.is_followed()
    usage.mark("gateway-1", clock.now_ms())
    assert not metering.is_followed(), "known for half a minute"
    clock.advance(CACHE_MS)
    assert metering.is_followed()
    clock.advance(FOLLOWER_GONE_MS)
    assert not metering.is_followed()


def test_an_end_does_not_fail_for_a_store_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    usage, clock = MemoryUsage(), SetClock()
    metering = Metering(usage, clock)
    usage.mark("gateway-1", clock.now_ms())
    assert metering.is_followed()
    clock.advance(CACHE_MS)

    def fail() -> None:
        raise StoreUnavailable("injected")

    monkeypatch.setattr(usage, "followers", fail)
    assert metering.is_followed(), "as it was known before"
    assert Metering(usage, clock).is_followed(), "a reserve comes back by itself"
