"""Restarted sessions: unanswered starts, a signal during the start, and a changed address."""

import time

from player.endings import Ending
from player.errors import UnreachableError
from player.http.client import ProblemError
from player.session import heartbeat as module
from player.session.play import _settle
from player.session.receipt import Receipt
from tests.unit.player.player_fakes import HeartbeatRig, Held, ScriptedServer, lease, over

LAPSED = over("lease_expired", charged_millipoints=10_000)
AWAY = UnreachableError("x", "it did not answer in time")
SECOND = lease(session_id="s-2", next_beat_in_ms=60_000)


class Rig(HeartbeatRig):
    """A running heartbeat, by default of a session that has lapsed."""

    def __init__(self, server, **first):
        super().__init__(server, lease(**{"next_beat_in_ms": 0, "lease_ms": 0, **first}))
        self.heartbeat.start()

    def settle(self, ending=Ending.of_reason("viewer_stopped")):  # noqa: B008
        self.heartbeat.stop()
        ending, settled = _settle(self.server, self.charges, ending)
        return Receipt(ending, "stream-1", self.charges, 0, 0, settled)


def test_an_unanswered_start_is_reported(monkeypatch):
    monkeypatch.setattr("player.session.start.RETRY_DELAYS_S", (0.01, 0.01))
    server = ScriptedServer(LAPSED, AWAY, AWAY, AWAY)
    rig = Rig(server)
    ending = rig.next_report()
    assert (len(server.starts), len(set(server.starts))) == (3, 1)
    assert (ending.end_reason, int(ending.exit_status)) == ("lease_expired", 6)
    assert "may have been bought" in ending.sentence and "expires by itself" in ending.sentence
    receipt = rig.settle(ending)
    assert not receipt.settled and receipt.ending == ending


def test_a_refused_start_leaves_no_session():
    server = ScriptedServer(LAPSED, ProblemError(409, {"code": "stream_not_live"}))
    rig = Rig(server)
    ending = rig.next_report()
    assert ending.end_reason == "stream_stopped" and rig.settle(ending).settled and server.stops == []


def test_a_start_that_stays_unanswered_is_not_settled(monkeypatch):
    monkeypatch.setattr(module, "START_WAIT_S", 0.3)
    start = Held(SECOND)
    rig = Rig(ScriptedServer(LAPSED, start))
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
    rig = Rig(server)
    assert heartbeat.is_asked.wait(3)
    rig.heartbeat.stop()
    heartbeat.is_released.set()
    time.sleep(0.3)
    assert server.starts == []


def moved(server, lease_ms=0):
    rig = Rig(server, next_beat_in_ms=60_000, lease_ms=lease_ms)
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
