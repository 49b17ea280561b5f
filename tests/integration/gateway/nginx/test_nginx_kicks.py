"""The end of a session applies to requests that wait inside the gateway, too."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.services.access.access import Decision

A = "a" * 26
# Requests served at once, and requests that wait at two a second, the last for four seconds.
AT_ONCE, WAITING = 9, 8


@pytest.fixture
def parked(gateway):
    """Requests for segments: the first are served, and the others wait for the rate limit."""
    with ThreadPoolExecutor(AT_ONCE + WAITING) as pool:
        asked = [pool.submit(gateway.get, f"720p/7-{number}.ts", A) for number in range(AT_ONCE + WAITING)]
        done = as_completed(asked)
        for _ in range(AT_ONCE):
            assert next(done).result().status_code == 200
        yield [each for each in asked if not each.done()]


def statuses(parked: list[Future]) -> list[int]:
    return sorted(each.result().status_code for each in parked)


def test_a_kick_applies_to_waiting_segments_and_at_once_to_others(gateway, parked):
    gateway.rule.over[A] = EndReason.KICKED
    gateway.denylist.deny_session(A, EndReason.KICKED)
    assert gateway.get("720p/8.ts", A).status_code == 403
    assert not all(each.done() for each in parked)
    # nginx may have served one at the moment of the kick.
    assert statuses(parked).count(200) <= 1
    assert set(statuses(parked)) <= {200, 403}


def test_a_pause_applies_to_waiting_segments(gateway, parked):
    gateway.denylist.deny_stream("stream-1", EndReason.STREAM_PAUSED)
    assert statuses(parked).count(200) <= 1
    assert set(statuses(parked)) <= {200, 410}


@pytest.mark.parametrize("path", ["720p/7.ts", "index.m3u8"])
def test_a_kick_applies_during_the_authorization(gateway, monkeypatch, path):
    """The access rule decides before the kick, and its response arrives after it."""
    judged, kicked = threading.Event(), threading.Event()
    judge = gateway.rule.verdict

    def slowly(*asked: object) -> Decision:
        found = judge(*asked)
        if not judged.is_set():
            judged.set()
            assert kicked.wait(5)
        return found

    monkeypatch.setattr(gateway.rule, "verdict", slowly)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(gateway.get, path, A)
        assert judged.wait(5)
        gateway.denylist.deny_session(A, EndReason.KICKED)
        gateway.rule.over[A] = EndReason.KICKED
        kicked.set()
        assert answer.result().status_code == 403
