"""Token buckets as rules, and what counts as one address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access.limits import Allowances, Limit, login_address_key, login_key, network_of, wait_ms
from chalicelib.domain.errors import Forbidden, InvalidCredentials, TooManyRequests
from chalicelib.services.access.limiter import Limiter
from tests.fakes.access.limits import MemoryLimits
from tests.fakes.simple import SetClock

LIMITS = st.builds(Limit, st.integers(1, 20), st.integers(1, 5_000))


@given(LIMITS, st.lists(st.integers(0, 20_000), min_size=1, max_size=60))
def test_never_more_than_the_burst_and_what_came_back(limit: Limit, pauses_ms: list[int]):
    limits, now_ms, taken = MemoryLimits(), 10**12, 0
    for pause_ms in pauses_ms:
        now_ms += pause_ms
        wait = limits.take("key", limit, now_ms)
        if not wait:
            taken += 1
        else:
            full_at_ms = limits.full_at_ms["key"]
            assert wait_ms(limit, full_at_ms, now_ms + wait) == 0, "after the wait there is a token"
            assert wait_ms(limit, full_at_ms, now_ms + wait - 1) == 1
        assert taken <= limit.burst + sum(pauses_ms) // limit.back_every_ms


def test_keys_separate_accounts_and_networks_and_reveal_neither():
    networks = dict.fromkeys(("192.0.2.7", "::ffff:192.0.2.7"), "192.0.2.7")
    networks |= dict.fromkeys(("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64")
    networks |= {"2001:db8:1:3::1": "2001:db8:1:3::/64", "fe80::1%eth0": "fe80::/64"}
    networks |= dict.fromkeys(("", "not an address"), "unknown")
    assert {ip: network_of(ip) for ip in networks} == networks
    key = login_key("Ann@local", "192.0.2.7")
    assert key == login_key("ann@LOCAL", "::ffff:192.0.2.7")
    assert len({key, login_key("ann@local", "192.0.2.8"), login_key("bob@local", "192.0.2.7")}) == 3
    assert "ann" not in key
    assert login_address_key("2001:db8::1") == login_address_key("2001:db8::2") != login_address_key("192.0.2.7")


clock = pytest.fixture(lambda: SetClock())
limits = pytest.fixture(lambda: MemoryLimits())


@pytest.fixture
def limited(limits, clock):
    allowed = {"login": Limit(2, 10_000), "login_address": Limit(3, 10_000), "start": Limit(2, 3_000)}
    return Limiter(limits=limits, allowances=Allowances(**allowed), clock=clock)


def wrong_password(limited: Limiter, email: str, ip: str = "192.0.2.1"):
    with pytest.raises(InvalidCredentials), limited.password_try(email, ip):
        raise InvalidCredentials("wrong")


def test_only_wrong_passwords_cost_something(limited, limits):
    before = {}
    for _ in range(20):
        with limited.password_try("a@local", "192.0.2.1"):
            pass
        with pytest.raises(Forbidden), limited.password_try("a@local", "192.0.2.1"):
            raise Forbidden("another reason")
        before = before or dict(limits.full_at_ms)
    assert limits.full_at_ms == before


def test_an_empty_bucket_refuses_before_anything_is_looked_at_and_costs_the_other_bucket_nothing(
    limited, limits, clock
):
    for _ in range(2):
        wrong_password(limited, "a@local")
    full = dict(limits.full_at_ms)
    for _ in range(5):
        with pytest.raises(TooManyRequests) as refused, limited.password_try("a@local", "192.0.2.1"):
            pytest.fail("the password was looked at")
        assert refused.value.extra == {"retry_after_s": 10}
    assert limits.full_at_ms == full
    # One account more, and the address has tried often enough, whatever the account.
    wrong_password(limited, "b@local")
    with pytest.raises(TooManyRequests), limited.password_try("c@local", "192.0.2.1"):
        pytest.fail("the password was looked at")
    wrong_password(limited, "a@local", ip="192.0.2.2")
    clock.advance(10_000)
    wrong_password(limited, "a@local")


def test_starts_are_counted_by_user(limited, clock):
    for user_id in ("u_a", "u_a", "u_b"):
        limited.start(user_id)
    with pytest.raises(TooManyRequests):
        limited.start("u_a")
    clock.advance(3_000)
    limited.start("u_a")
