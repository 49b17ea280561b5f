"""`--wait` without mpv: what the heartbeat thread does until points have come."""

import queue
import time

import pytest

from player.endings import Ending
from player.errors import LoginExpiredError, UnreachableError
from player.http.client import ProblemError
from player.media.credentials import CredentialsProvider, CredentialsTimeoutError
from player.session import waiting as module
from player.session.charges import Charges
from player.session.heartbeat import Heartbeat
from player.session.heartbeat_state import State
from player.session.playback_api import Funds, Totals
from player.session.start import PlayRequest
from player.session.waiting import Waiting
from tests.unit.player.player_fakes import ScriptedServer, lease, over

EMPTY, RICH = Funds(0, 0, None), Funds(20_000, 0, None)
AWAY = UnreachableError("x", "away")
USED_UP = over("balance_exhausted", charged_millipoints=10_000, balance_millipoints=0, watched_ms=10_000)
SECOND = lease(session_id="s-2", next_beat_in_ms=60_000)


class Rig:
    """A heartbeat whose points are used up at once."""

    def __init__(self, server, wait_s=5.0, max_points=None):
        self.server, self.charges, self.credentials = server, Charges(), CredentialsProvider()
        self._reports = queue.SimpleQueue()
        request, put = PlayRequest("stream-1", max_points, wait_s), self._reports.put
        first = lease(next_beat_in_ms=0)
        self.heartbeat = Heartbeat(server, request, first, self.credentials, self.charges, put, put, put)

    def next_report(self, *kinds):
        """Return the next report, of one of these kinds."""
        while True:
            report = self._reports.get(timeout=5.0)
            if not kinds or isinstance(report, kinds):
                return report

    def run(self):
        """Return the ending, or the lease of the next session."""
        self.heartbeat.start()
        return self.next_report(Ending, type(SECOND))


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.03)
    monkeypatch.setattr(module, "LOOK_S_MAX", 0.1)
    monkeypatch.setattr(module, "CHECK_S", 0.06)


@pytest.fixture
def build():
    rigs = []
    yield lambda *arguments, **more: rigs.append(Rig(*arguments, **more)) or rigs[-1]
    for rig in rigs:
        rig.heartbeat.stop()


def test_after_a_credit_a_new_session_starts_within_the_rest_of_the_limit(build):
    server = ScriptedServer(USED_UP, SECOND)
    server.wallets = [EMPTY, EMPTY, RICH]
    rig = build(server, max_points=30)
    assert rig.run() == SECOND
    assert ([start[-1] for start in server.starts], server.stops) == ([20], []), "the first one is over already"
    assert rig.charges.session_ids == ["s-1", "s-2"] and rig.charges.end_reason("s-1") == "balance_exhausted"


def test_points_that_end_again_are_waited_for_with_the_whole_time(build):
    again = over("balance_exhausted", charged_millipoints=5_000, balance_millipoints=0)
    server = ScriptedServer(USED_UP, lease(session_id="s-2", next_beat_in_ms=0), again, lease(session_id="s-3"))
    server.wallets = [EMPTY, RICH]
    rig = build(server)
    rig.heartbeat.start()
    first = rig.next_report(Waiting)
    assert rig.next_report(type(SECOND)).session_id == "s-2"
    second = rig.next_report(Waiting)
    assert rig.next_report(type(SECOND)).session_id == "s-3"
    assert second.ends_at > first.ends_at and rig.charges.spent_millipoints == 25_000


def test_media_are_held_and_nothing_is_bought_while_waiting(build):
    server = ScriptedServer(USED_UP)
    rig = build(server)
    rig.heartbeat.start()
    waiting = [rig.next_report(), rig.next_report()]
    assert all(isinstance(each, Waiting) and each.funds == EMPTY and not each.is_over for each in waiting)
    with pytest.raises(CredentialsTimeoutError):
        rig.credentials.get(0.01)
    rig.heartbeat.send_now()
    rig.heartbeat.restart()
    time.sleep(0.1)
    assert (server.starts, server.stops, len(server.heartbeats)) == ([], [], 1)


NOT_LIVE = ProblemError(409, {"code": "stream_not_live"})
DEBT = ProblemError(402, {"code": "debt_open", "debt_millipoints": 4_000, "balance_millipoints": 3_000})
LIMITED = ProblemError(429, {"code": "too_many_requests"}, retry_after_s=0.1)


@pytest.mark.parametrize("refusal", [NOT_LIVE, DEBT, LIMITED, over("balance_exhausted")])
def test_a_refused_start_goes_on_waiting(build, refusal):
    server = ScriptedServer(USED_UP, refusal, SECOND)
    server.wallets = [RICH]
    assert build(server).run() == SECOND
    keys = [key for _, key, *_ in server.starts]
    assert len(keys) == len(set(keys)) == 2


@pytest.mark.parametrize("trouble", [AWAY, LIMITED])
def test_a_server_that_does_not_answer_is_asked_again(build, trouble):
    server = ScriptedServer(USED_UP, SECOND)
    server.wallets = [trouble, trouble, RICH]
    rig = build(server)
    rig.heartbeat.start()
    assert [rig.next_report().is_reachable for _ in range(4)] == [True, False, False, True]
    assert rig.next_report() == SECOND


def test_a_debt_is_covered_before_a_start(build):
    server = ScriptedServer(USED_UP, SECOND)
    server.wallets = [Funds(4_000, 4_000, None), Funds(3_999, 4_000, None), Funds(4_001, 4_000, None)]
    rig = build(server)
    assert rig.run() == SECOND and len(server.wallets) == 1


DISABLED = ProblemError(403, {"code": "forbidden", "detail": "This account is disabled."})
UNKNOWN = ProblemError(404, {"code": "stream_not_found"})


@pytest.mark.parametrize(
    ("change", "status", "reason", "words"),
    [
        ({"account": DISABLED}, 4, "viewer_stopped", "This account is disabled"),
        ({"account": LoginExpiredError()}, 4, "viewer_stopped", "player login"),
        ({"wallets": [LoginExpiredError()]}, 4, "viewer_stopped", "player login"),
        ({"state": "stopped"}, 8, "stream_stopped", "stopped the stream"),
        ({"state": "paused"}, 8, "stream_paused", "paused the stream"),
        ({"state": UNKNOWN}, 8, "stream_stopped", "stopped the stream"),
        ({"wallets": [RICH], "answers": [USED_UP, DISABLED]}, 4, "viewer_stopped", "This account is disabled"),
        ({"wallets": [RICH], "answers": [USED_UP, over("daily_cap_reached")]}, 3, "daily_cap_reached", "no wait"),
    ],
)
def test_a_wait_without_hope_ends(build, change, status, reason, words):
    server = ScriptedServer(USED_UP)
    vars(server).update(change)
    ending = build(server).run()
    assert (int(ending.exit_status), ending.end_reason) == (status, reason) and words in ending.sentence


LATER = ProblemError(429, {"code": "too_many_requests"}, retry_after_s=60.0)


@pytest.mark.parametrize(
    ("wallet", "refusal", "reason"),
    [
        *((EMPTY, None, "balance_exhausted"), (AWAY, None, "balance_exhausted")),
        *((RICH, NOT_LIVE, "stream_stopped"), (RICH, LATER, "viewer_stopped")),
    ],
)
def test_a_wait_ends_in_time(build, wallet, refusal, reason):
    """Also if the server is away, or points are there and starts are refused."""
    server = ScriptedServer(USED_UP, *[refusal] * 50)
    server.wallets = [wallet]
    rig = build(server, wait_s=0.3)
    started_at = time.monotonic()
    ending = rig.run()
    assert 0.3 <= time.monotonic() - started_at < 1.5
    assert ending.end_reason == reason
    assert len(server.starts) <= 8, "retries are spread"


def test_without_the_option_or_within_a_spent_limit_there_is_no_wait(build):
    for wait_s, max_points in ((None, None), (5.0, 10)):
        server = ScriptedServer(USED_UP)
        assert build(server, wait_s=wait_s, max_points=max_points).run().end_reason == "balance_exhausted"
    ending = build(ScriptedServer(over("max_points_reached"))).run()
    assert ending.sentence.endswith("More points do not change that, so there is no wait.")


def test_points_that_come_in_a_pause_are_spent_after_it(build):
    server = ScriptedServer(USED_UP, SECOND)
    rig = build(server)
    rig.heartbeat.start()
    rig.next_report()
    rig.heartbeat.pause()
    server.wallets = [RICH]
    while not rig.next_report().is_over:
        pass
    time.sleep(0.1)
    assert server.starts == []
    rig.heartbeat.resume()
    assert rig.next_report() == SECOND and rig.credentials.get(1.0).token == SECOND.play_token


def test_a_lapsed_session_without_points_waits_too(build):
    server = ScriptedServer(over("lease_expired"), over("balance_exhausted"), SECOND)
    server.wallets = [EMPTY, RICH]
    rig = build(server)
    rig.heartbeat._restart_from = 0.0
    assert rig.run() == SECOND


def test_every_state_has_its_pause():
    for state in State:
        assert state.paused().is_paused is (state is not State.ENDED)
        assert state.paused().is_waiting is state.is_waiting
        assert not state.resumed().is_paused and state.paused().paused() is state.paused()


def test_totals_of_an_older_server_have_no_reserve():
    assert Totals.from_fields({"end_reason": "kicked", "charged_millipoints": 5}) == Totals("kicked", 5, None, None)
    assert Totals.from_fields({"code": "forbidden"}) is None
