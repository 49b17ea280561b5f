"""What one address may ask of the endpoints: strangers must not keep viewers' verdicts waiting."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason

A = "a" * 26
PER_S, ASKED = 10, 120


@pytest.fixture
def nginx_config(nginx_config):
    """An address may ask little."""
    return replace(nginx_config, questions_per_address_per_s=PER_S)


def flood(gateway, token: str) -> Counter[int]:
    """The statuses of many requests at once, each with an agent of its own, of which no verdict is kept."""

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


@pytest.mark.parametrize("of", ["nobody", "a session that has ended", "a session on the denylist"])
def test_segments_for_which_nobody_pays_are_counted_by_address(gateway, of):
    token = "nonsense" if of == "nobody" else f"t-{A}"
    if of != "nobody":
        gateway.rule.over[A] = EndReason.KICKED
    if of == "a session on the denylist":
        gateway.denylist.deny_session(A, EndReason.KICKED)
    statuses = flood(gateway, token)
    # At once, waiting, and what the time of the test itself allows.
    assert gateway.rule.asked[A] < ASKED, (statuses, gateway.rule.asked)
    assert statuses[429] > ASKED // 4, statuses
    assert set(statuses) <= {401, 403, 429}
    text = gateway.log_path.read_text()
    assert "unexpected status" not in text, "a stranger writes no errors"


def test_who_has_a_verdict_is_served_meanwhile(gateway):
    assert gateway.get("720p/1.ts", A).status_code == 200
    with ThreadPoolExecutor(1) as pool:
        flooding = pool.submit(flood, gateway, "nonsense")
        served = [gateway.get("index.m3u8", A).status_code for _ in range(10)]
        flooding.result()
    assert set(served) == {200}
