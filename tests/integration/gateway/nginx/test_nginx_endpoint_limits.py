"""The limit of one address's requests to the endpoints, so that strangers do not delay viewers."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason

A = "a" * 26
PER_S, ASKED = 10, 120


@pytest.fixture
def nginx_config(nginx_config):
    """A configuration with a low limit."""
    return replace(nginx_config, endpoint_requests_per_address_per_s=PER_S)


def flood(gateway, token: str) -> Counter[int]:
    """Return the statuses of many concurrent requests, each with another agent, so that no authorization is cached."""

    def ask(number: int):
        return gateway.get(f"720p/{number}.ts", A, token=token, **{"User-Agent": f"agent-{number}"})

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(ask, range(ASKED)))
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/problem+json"
        if answer.status_code == 429:
            assert (answer.json()["code"], answer.headers["Retry-After"]) == ("too_many_requests", "1")
            assert len(answer.headers.get_list("X-Request-ID")) == 1
    return Counter(answer.status_code for answer in answers)


@pytest.mark.parametrize("of", ["no session", "a session that has ended", "a session on the denylist"])
def test_requests_for_unpaid_segments_are_limited_by_address(gateway, of):
    token = "nonsense" if of == "no session" else f"t-{A}"
    if of != "no session":
        gateway.rule.over[A] = EndReason.KICKED
    if of == "a session on the denylist":
        gateway.denylist.deny_session(A, EndReason.KICKED)
    statuses = flood(gateway, token)
    # The rate, the burst, and those that the duration of the test allows.
    assert gateway.rule.asked[A] < ASKED, (statuses, gateway.rule.asked)
    assert statuses[429] > ASKED // 4, statuses
    assert set(statuses) <= {401, 403, 429}
    text = gateway.log_path.read_text()
    assert "unexpected status" not in text, "a stranger writes no errors"


def test_a_cached_authorization_is_not_limited(gateway):
    assert gateway.get("720p/1.ts", A).status_code == 200
    with ThreadPoolExecutor(1) as pool:
        flooding = pool.submit(flood, gateway, "nonsense")
        served = [gateway.get("index.m3u8", A).status_code for _ in range(10)]
        flooding.result()
    assert set(served) == {200}
