"""The heartbeat with a server of scripted answers: what it repeats, when it holds, and how it restarts a session."""

import queue
import time

import pytest

from player.endings import Ending
from player.errors import LoginExpiredError, UnreachableError
from player.http.client import ProblemError
from player.media.credentials import CredentialsProvider
from player.session import heartbeat as module
from player.session.charges import Charges
from player.session.heartbeat import Heartbeat
from player.session.play import _settle
from player.session.playback_api import Lease
from player.session.receipt import Receipt
from player.session.schedule import HeartbeatSchedule
from player.session.start import PlayRequest
from tests.unit.player.player_fakes import Held, ScriptedServer, lease, over

AWAY = UnreachableError("x", "away")


def now(**fields):
    return lease(**{"next_beat_in_ms": 0, **fields})


class Rig:
    """A heartbeat that is not started, with its charges and reports."""

    def __init__(self, server, first, max_points=None):
        self.server, self.charges, self._reports = server, Charges(), queue.SimpleQueue()
        request, put = PlayRequest("stream-1", max_points), self._reports.put
        self.heartbeat = Heartbeat(server, request, first, CredentialsProvider(), self.charges, put, put, put)

    def next_report(self):
        return self._reports.get(timeout=5.0)

    def settle(self, ending=None):
        self.heartbeat.stop()
        ending, settled = _settle(self.server, self.charges, ending or Ending.of_reason("viewer_stopped"))
        return Receipt(ending, "stream-1", self.charges, 0, 0, settled)


@pytest.fixture
def build():
    """Build heartbeats that end with the test."""
    rigs = []
    yield lambda *arguments: rigs.append(Rig(*arguments)) or rigs[-1]
    for rig in rigs:
        rig.heartbeat.stop()


@pytest.fixture
def run(build):
    def run_until_over(*arguments):
        rig, reports = build(*arguments), []
        rig.heartbeat.start()
        while not reports or not isinstance(reports[-1], Ending):
            reports.append(rig.next_report())
        return reports, rig.charges

    return run_until_over


EARLY = now(seq=1, outcome="early", charged_millipoints=0)


@pytest.mark.parametrize("answer", [EARLY, AWAY, ProblemError(429, {}, retry_after_s=0.1)])
def test_an_early_or_failed_heartbeat_is_repeated_with_its_number(run, answer):
    server = ScriptedServer(answer, now(seq=2))
    run(server, now())
    assert [seq for _, seq in server.heartbeats] == [2, 2, 3]


def test_a_lapsed_session_is_restarted_within_the_viewers_limit(run):
    lapsed, restarted = over("lease_expired", charged_millipoints=9_500), now(session_id="s-2", lease_ms=0)
    server = ScriptedServer(lapsed, restarted, now(session_id="s-2", seq=2))
    seen, charges = run(server, now(lease_ms=0), 30)
    assert ([start[-1] for start in server.starts], server.heartbeats[1]) == ([20], ("s-2", 2))
    assert charges.session_ids == ["s-1", "s-2"] and seen[-1].end_reason == "stream_stopped"
    assert charges.spent_millipoints == 29_500, "of the first session what the server says"
    server = ScriptedServer(lapsed)
    seen, _ = run(server, now(lease_ms=0), 10)
    assert (server.starts, seen[-1].end_reason) == ([], "max_points_reached")


def test_a_session_that_lapses_in_its_first_lease_or_has_no_login_is_not_restarted(run):
    server = ScriptedServer(over("lease_expired"))
    seen, _ = run(server, now())
    assert (server.starts, int(seen[-1].exit_status)) == ([], 6)
    seen, _ = run(ScriptedServer(LoginExpiredError()), now())
    assert int(seen[-1].exit_status) == 4 and "player login" in seen[-1].sentence


def test_a_paused_session_sends_a_heartbeat_only_after_it_is_resumed(build):
    server = ScriptedServer(now(seq=2))
    paused = build(server, now())
    paused.heartbeat.pause()
    paused.heartbeat.start()
    paused.heartbeat.send_now()
    time.sleep(0.2)
    assert server.heartbeats == []
    paused.heartbeat.resume()
    assert isinstance(paused.next_report(), Lease)


def test_while_media_fail_only_requested_leases_are_bought(build):
    server = ScriptedServer(now(seq=2), now(seq=3), now(seq=4))
    failing = build(server, now())
    failing.heartbeat.set_media_failing(True)
    failing.heartbeat.start()
    time.sleep(0.2)
    assert server.heartbeats == [], "it is due, but no media arrive"
    failing.heartbeat.send_now()
    assert failing.next_report().seq == 2
    time.sleep(0.2)
    assert len(server.heartbeats) == 1, "one lease for the retry, not more"
    failing.heartbeat.set_media_failing(False)
    assert [failing.next_report().seq for _ in range(2)] == [3, 4]


def test_a_failed_heartbeat_is_repeated_even_while_media_fail(build):
    failing = build(ScriptedServer(*[AWAY] * 50), now(expires_in=1))
    failing.heartbeat.start()
    time.sleep(0.2)
    failing.heartbeat.set_media_failing(True)
    assert failing.next_report().end_reason == "lease_expired"


@pytest.mark.parametrize("order", [("pause", "restart"), ("restart", "pause")])
def test_a_restart_waits_for_the_end_of_a_pause(build, order):
    server = ScriptedServer(now(session_id="s-2", lease_ms=0, next_beat_in_ms=60_000))
    paused = build(server, now(lease_ms=0))
    for name in order:
        getattr(paused.heartbeat, name)()
    paused.heartbeat.start()
    time.sleep(0.2)
    assert server.stops == []
    paused.heartbeat.resume()
    assert (paused.next_report().session_id, server.stops, server.heartbeats) == ("s-2", ["s-1"], [])


def schedule(jitter=1.0):
    return HeartbeatSchedule(lease(), now=100.0, jitter=lambda: jitter)


def test_an_answer_says_when_the_next_heartbeat_is_due_and_its_number_may_be_counted():
    first = schedule()
    assert (first.seq, first.due_at, first.deadline) == (2, 105.0, 115.0)
    first.answered(lease(seq=7, next_beat_in_ms=2_500, expires_in=9), now=106.0)
    assert (first.seq, first.due_at, first.deadline) == (8, 108.5, 115.0)
    answer = {"session_id": "s", "play_token": "t", "expires_in": 1, "next_beat_in_ms": 1, "lease_ms": 10_000}
    answer |= {"balance_millipoints": 0, "rate_millipoints_per_minute": 60_001}
    found = [Lease.from_response({**answer, **more}, seq=5).seq for more in ({"outcome": "early"}, {})]
    assert (found, Lease.from_response(answer, seq=1).charged_millipoints) == ([4, 5], 10_001)


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


def test_a_hurried_or_resumed_heartbeat_is_due_now_but_never_breaks_a_backoff():
    heartbeats = schedule()
    heartbeats.hurry(101.0)
    assert heartbeats.due_at == 101.0
    heartbeats.failed(101.0)
    heartbeats.hurry(101.1)
    assert heartbeats.due_at == 101.25
    heartbeats = schedule()
    heartbeats.resumed(1_900.0)
    assert (heartbeats.due_at, heartbeats.deadline) == (1_900.0, 1_915.0)
    heartbeats.failed(1_905.0)
    assert not heartbeats.is_lost(1_905.0)


LAPSED = over("lease_expired", charged_millipoints=10_000)
SECOND = lease(session_id="s-2", next_beat_in_ms=60_000)


def lapsed(server, **first):
    """Return a running heartbeat of a session that has lapsed."""
    rig = Rig(server, now(**{"lease_ms": 0, **first}))
    rig.heartbeat.start()
    return rig


def test_an_unanswered_start_is_reported(monkeypatch):
    monkeypatch.setattr("player.session.start.RETRY_DELAYS_S", (0.01, 0.01))
    server = ScriptedServer(LAPSED, AWAY, AWAY, AWAY)
    rig = lapsed(server)
    ending = rig.next_report()
    assert (len(server.starts), len(set(server.starts))) == (3, 1)
    assert (ending.end_reason, int(ending.exit_status)) == ("lease_expired", 6)
    assert "may have been bought" in ending.sentence and "expires by itself" in ending.sentence
    receipt = rig.settle(ending)
    assert not receipt.settled and receipt.ending == ending


def test_a_refused_start_leaves_no_session():
    server = ScriptedServer(LAPSED, ProblemError(409, {"code": "stream_not_live"}))
    rig = lapsed(server)
    ending = rig.next_report()
    assert ending.end_reason == "stream_stopped" and rig.settle(ending).settled and server.stops == []


def test_a_start_that_stays_unanswered_is_not_settled(monkeypatch):
    monkeypatch.setattr(module, "START_WAIT_S", 0.3)
    start = Held(SECOND)
    rig = lapsed(ScriptedServer(LAPSED, start))
    assert start.is_asked.wait(3)
    started_at = time.monotonic()
    receipt = rig.settle()
    assert time.monotonic() - started_at < 1.5 and not receipt.settled and "player ledger" in "".join(receipt.lines())
    start.is_released.set()


def test_no_session_is_started_after_the_stop(monkeypatch):
    """The answer to a heartbeat in flight comes after the stop."""
    monkeypatch.setattr(module, "STOP_WAIT_S", 0.1)
    heartbeat = Held(LAPSED)
    server = ScriptedServer(heartbeat, SECOND)
    rig = lapsed(server)
    assert heartbeat.is_asked.wait(3)
    rig.heartbeat.stop()
    heartbeat.is_released.set()
    time.sleep(0.3)
    assert server.starts == []


def moved(server, lease_ms=0):
    rig = lapsed(server, next_beat_in_ms=60_000, lease_ms=lease_ms)
    for _ in range(2):
        rig.heartbeat.restart()
    return rig


def test_a_viewer_whose_address_changed_gets_a_refund_and_a_new_session():
    server = ScriptedServer(SECOND, ends=(AWAY, "viewer_stopped"))
    rig = moved(server)
    assert rig.next_report().session_id == "s-2"
    assert (server.stops, len(server.starts), server.heartbeats) == (["s-1", "s-1"], 1, [])
    # What the first one has cost is known, and the second is stopped in the end.
    assert rig.settle().settled and server.stops[2:] == ["s-2"] and rig.charges.spent_millipoints == 4_000


def test_an_address_that_changes_in_the_first_lease_or_of_a_kicked_viewer_ends_the_play():
    server = ScriptedServer(SECOND)
    rig = moved(server, lease_ms=60_000)
    ending = rig.next_report()
    assert "one address and program" in ending.sentence and int(ending.exit_status) == 8
    assert (server.stops, server.starts, server.heartbeats) == (["s-1"], [], []) and rig.settle(ending).settled
    server = ScriptedServer(SECOND, ends=("kicked",))
    rig = moved(server)
    assert rig.next_report().end_reason == "kicked" and server.starts == []
    rig.settle()
