import pytest
from player_fakes import lease

from player.session.playback_api import Lease
from player.session.schedule import HeartbeatSchedule


def schedule(jitter=1.0):
    return HeartbeatSchedule(lease(), now=100.0, jitter=lambda: jitter)


def test_an_answer_says_when_the_next_heartbeat_is_due_and_its_number_may_be_counted():
    first = schedule()
    assert (first.seq, first.due_at, first.deadline) == (2, 105.0, 115.0)
    answer = {"session_id": "s", "play_token": "t", "expires_in": 1, "next_beat_in_ms": 1, "lease_ms": 10_000}
    answer |= {"balance_millipoints": 0, "rate_millipoints_per_minute": 60_001}
    found = [Lease.from_response({**answer, **more}, seq=5).seq for more in ({"outcome": "early"}, {})]
    assert (found, Lease.from_response(answer, seq=1).charged_millipoints) == ([4, 5], 10_001)


@pytest.mark.parametrize(
    ("seq", "outcome", "following"),
    [(2, name, 3) for name in ("on_time", "late", "poor", "unserved", "replay")] + [(1, "early", 2), (7, "stale", 8)],
)
def test_the_next_heartbeat_follows_the_last_that_counted(seq, outcome, following):
    heartbeats = schedule()
    heartbeats.answered(lease(seq=seq, outcome=outcome, next_beat_in_ms=2_500, expires_in=9), now=106.0)
    assert (heartbeats.seq, heartbeats.due_at, heartbeats.deadline) == (following, 108.5, 115.0)


def test_failures_retry_with_backoff_jitter_and_retry_after():
    heartbeats = schedule()
    now, waits = 105.0, []
    for _ in range(5):
        heartbeats.failed(now)
        waits.append(heartbeats.due_at - now)
        now = heartbeats.due_at
    assert (waits, heartbeats.seq) == ([0.25, 0.5, 1.0, 2.0, 4.0], 2)
    heartbeats = schedule(jitter=0.0)
    heartbeats.failed(105.0)
    assert heartbeats.due_at == 105.125
    heartbeats = schedule()
    heartbeats.failed(105.0, retry_after_s=3.0)
    assert heartbeats.due_at == 108.0
    heartbeats.failed(108.0, retry_after_s=600.0)
    assert heartbeats.due_at == 115.0


def test_the_last_retry_is_at_the_deadline_and_then_the_network_is_lost():
    heartbeats = schedule()
    for now in (114.9, 114.95):
        heartbeats.failed(now)
    assert heartbeats.due_at == 115.0 and not heartbeats.is_lost(114.99)
    heartbeats.failed(115.0)
    assert heartbeats.is_lost(115.0)
    heartbeats.answered(lease(seq=2), now=106.0)
    assert heartbeats.failures == 0 and not heartbeats.is_lost(200.0), "an answer resets failures"


def test_a_hurried_heartbeat_is_due_now_but_never_breaks_a_backoff():
    heartbeats = schedule()
    heartbeats.hurry(101.0)
    assert heartbeats.due_at == 101.0
    heartbeats.failed(101.0)
    heartbeats.hurry(101.1)
    assert heartbeats.due_at == 101.25


def test_after_a_pause_a_heartbeat_is_due_now_with_time_to_reconnect():
    heartbeats = schedule()
    heartbeats.resumed(1_900.0)
    assert (heartbeats.due_at, heartbeats.deadline) == (1_900.0, 1_915.0)
    heartbeats.failed(1_905.0)
    assert not heartbeats.is_lost(1_905.0)
