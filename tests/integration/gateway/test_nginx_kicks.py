"""An end counts for requests that are under way, too: what waits inside the gateway is looked at again."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.services.access.access import Decision

A = "a" * 26
# At once and waiting for their turn, at two a second: the last of them for four seconds.
AT_ONCE, WAITING = 9, 8


@pytest.fixture
def parked(gateway):
    """Requests for segments of which the first have been served, and the others wait for their turn."""
    with ThreadPoolExecutor(AT_ONCE + WAITING) as pool:
        asked = [pool.submit(gateway.get, f"720p/7-{number}.ts", A) for number in range(AT_ONCE + WAITING)]
        done = as_completed(asked)
        for _ in range(AT_ONCE):
            assert next(done).result().status_code == 200
        yield [each for each in asked if not each.done()]


def statuses(parked: list[Future]) -> list[int]:
    return sorted(each.result().status_code for each in parked)


def test_a_kick_counts_for_segments_that_wait_for_their_turn(gateway, parked):
    gateway.rule.over[A] = EndReason.KICKED
    gateway.denylist.deny_session(A, EndReason.KICKED)
    # One may have been let go in the very moment of the kick.
    assert statuses(parked).count(200) <= 1
    assert set(statuses(parked)) <= {200, 403}


def test_who_was_kicked_does_not_wait_for_the_refusal(gateway, parked):
    gateway.rule.over[A] = EndReason.KICKED
    gateway.denylist.deny_session(A, EndReason.KICKED)
    assert gateway.get("720p/8.ts", A).status_code == 403
    assert not all(each.done() for each in parked)


def test_a_pause_counts_for_segments_that_wait_for_their_turn(gateway, parked):
    gateway.denylist.deny_stream("stream-1", EndReason.STREAM_PAUSED)
    assert statuses(parked).count(200) <= 1
    assert set(statuses(parked)) <= {200, 410}


@pytest.mark.parametrize("path", ["720p/7.ts", "index.m3u8"])
def test_a_kick_counts_for_a_request_whose_verdict_is_under_way(gateway, monkeypatch, path):
    """The verdict was reckoned before the kick, and comes after it."""
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
