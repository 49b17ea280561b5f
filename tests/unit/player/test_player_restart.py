"""Restarted sessions: unanswered starts, a signal during the start, and a changed address."""

import threading
import time
from collections.abc import Iterator

import pytest

from player.endings import Ending
from player.errors import UnreachableError
from player.http.client import ProblemError
from player.session import heartbeat as module
from player.session.play import _settle
from player.session.playback_api import Lease, Totals
from player.session.receipt import Receipt
from tests.unit.player.player_fakes import HeartbeatRig, lease

STOPPED = Ending.of_reason("viewer_stopped")


class Lapsed:
    """A server where every session has lapsed. It answers a start when `may_start` is set."""

    def __init__(self, lease: Lease | Exception) -> None:
        self.lease = lease
        self.may_answer, self.may_start = threading.Event(), threading.Event()
        self.may_answer.set()
        self.is_starting, self.is_heartbeat_sent = threading.Event(), threading.Event()
        self.keys: list[str] = []
        self.stopped: list[str] = []

    def heartbeat(self, session_id: str, seq: int, timeout_s: float) -> Lease:
        self.is_heartbeat_sent.set()
        assert self.may_answer.wait(10)
        raise ProblemError(402, {"end_reason": "lease_expired", "charged_millipoints": 10_000})

    def start(
        self, stream_id: str, key: str, timeout_s: float, replace: bool = False, max_points: int | None = None
    ) -> Lease:
        self.keys.append(key)
        self.is_starting.set()
        assert self.may_start.wait(10)
        if isinstance(self.lease, Exception):
            raise self.lease
        return self.lease

    def stop(self, session_id: str, timeout_s: float) -> Totals:
        self.stopped.append(session_id)
        return Totals("viewer_stopped", 2_000, 80_000, 2_000)


class Rig(HeartbeatRig):
    """A running heartbeat, by default of a session that has lapsed."""

    def __init__(self, server: Lapsed, first: Lease | None = None) -> None:
        super().__init__(server, first or lease(next_beat_in_ms=0, lease_ms=0))
        self.heartbeat.start()

    def settle(self, ending: Ending = STOPPED) -> Receipt:
        self.heartbeat.stop()
        ending, settled = _settle(self.server, self.charges, ending)
        return Receipt(ending, "stream-1", self.charges, 0, 0, settled)


@pytest.fixture
def lapsed() -> Iterator[Lapsed]:
    server = Lapsed(lease(session_id="s-2"))
    yield server
    server.may_answer.set()
    server.may_start.set()


def test_an_unanswered_start_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("player.session.start.RETRY_DELAYS_S", (0.01, 0.01))
    server = Lapsed(UnreachableError("x", "it did not answer in time"))
    server.may_start.set()
    rig = Rig(server)
    ending = rig.next_report()
    assert (len(server.keys), len(set(server.keys))) == (3, 1)
    assert (ending.end_reason, int(ending.exit_status)) == ("lease_expired", 6)
    assert "may have been bought" in ending.sentence and "expires by itself" in ending.sentence
    receipt = rig.settle(ending)
    assert not receipt.settled and receipt.ending == ending


def test_a_refused_start_leaves_no_session() -> None:
    server = Lapsed(ProblemError(409, {"code": "stream_not_live"}))
    server.may_start.set()
    rig = Rig(server)
    ending = rig.next_report()
    assert ending.end_reason == "stream_stopped"
    assert rig.settle(ending).settled and server.stopped == []


def test_a_start_in_flight_is_awaited_and_its_session_stopped(lapsed: Lapsed) -> None:
    rig = Rig(lapsed)
    assert lapsed.is_starting.wait(3)
    threading.Timer(module.STOP_WAIT_S + 0.5, lapsed.may_start.set).start()
    receipt = rig.settle()
    assert lapsed.stopped == ["s-2"] and receipt.settled
    assert rig.charges.session_ids == ["s-1", "s-2"] and rig.charges.spent_millipoints == 12_000


def test_an_unanswered_start_is_not_settled(lapsed: Lapsed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_WAIT_S", 0.3)
    rig = Rig(lapsed)
    assert lapsed.is_starting.wait(3)
    started_at = time.monotonic()
    receipt = rig.settle()
    assert time.monotonic() - started_at < 1.5
    assert not receipt.settled and "player ledger" in "".join(receipt.lines())


def test_no_session_is_started_after_the_stop(lapsed: Lapsed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to a heartbeat in flight comes after the stop."""
    monkeypatch.setattr(module, "STOP_WAIT_S", 0.1)
    lapsed.may_answer.clear()
    lapsed.may_start.set()
    rig = Rig(lapsed)
    assert lapsed.is_heartbeat_sent.wait(3)
    rig.heartbeat.stop()
    lapsed.may_answer.set()
    time.sleep(0.3)
    assert lapsed.keys == []


class Moving(Lapsed):
    """A server that has sold a lease of a minute, and stops what it is asked to stop as `ended` says."""

    def __init__(self, lease: Lease | Exception, *ended: str | Exception) -> None:
        super().__init__(lease)
        self.may_start.set()
        self.ended = list(ended)

    def stop(self, session_id: str, timeout_s: float) -> Totals:
        self.stopped.append(session_id)
        ended = self.ended.pop(0) if self.ended else "viewer_stopped"
        if isinstance(ended, Exception):
            raise ended
        return Totals(ended, 2_000, 80_000, 2_000)


def moved(server: Moving, lease_ms: int = 0) -> Rig:
    rig = Rig(server, lease(next_beat_in_ms=60_000, lease_ms=lease_ms))
    for _ in range(2):
        rig.heartbeat.restart()
    return rig


def test_a_viewer_whose_address_changed_gets_a_refund_and_a_new_session() -> None:
    server = Moving(lease(session_id="s-2", next_beat_in_ms=60_000), UnreachableError("x", "away"), "viewer_stopped")
    rig = moved(server)
    assert rig.next_report().session_id == "s-2"
    assert (server.stopped, len(server.keys), server.is_heartbeat_sent.is_set()) == (["s-1", "s-1"], 1, False)
    # What the first one has cost is known, and the second is stopped in the end.
    assert rig.settle().settled and server.stopped[2:] == ["s-2"]
    assert rig.charges.spent_millipoints == 4_000


def test_an_address_that_changes_in_the_first_lease_ends_the_play() -> None:
    server = Moving(lease(session_id="s-2"))
    rig = moved(server, lease_ms=60_000)
    ending = rig.next_report()
    assert "one address and program" in ending.sentence and int(ending.exit_status) == 8
    assert (server.stopped, server.keys, server.is_heartbeat_sent.is_set()) == (["s-1"], [], False)
    assert rig.settle(ending).settled


def test_a_kicked_viewer_whose_address_changed_is_not_restarted() -> None:
    server = Moving(lease(session_id="s-2"), "kicked")
    rig = moved(server)
    assert rig.next_report().end_reason == "kicked" and server.keys == []
    rig.settle()
