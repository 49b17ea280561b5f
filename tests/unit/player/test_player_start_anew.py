"""A session that is started anew: what unanswered tries mean, and what a signal meanwhile may leave behind."""

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from player_fakes import lease

from player.errors import UnreachableError
from player.http.client import ProblemError
from player.media.credentials import Gate
from player.outcome import Ending
from player.session import heartbeat as module
from player.session.heartbeat import Heartbeat
from player.session.play import _settle
from player.session.playback_api import Lease, Totals
from player.session.receipt import Bill, Receipt
from player.session.start import Wish

STOPPED = Ending.of_reason("viewer_stopped")


class Lapsed:
    """A server where every session has lapsed, and whose answer to start comes when `answer_now` is set."""

    def __init__(self, started: Lease | Exception) -> None:
        self.started = started
        self.beat_now, self.answer_now = threading.Event(), threading.Event()
        self.beat_now.set()
        self.asked, self.beating = threading.Event(), threading.Event()
        self.keys: list[str] = []
        self.stopped: list[str] = []

    def beat(self, session_id: str, seq: int, timeout_s: float) -> Lease:
        self.beating.set()
        assert self.beat_now.wait(10)
        raise ProblemError(402, {"end_reason": "lease_expired", "charged_millipoints": 10_000})

    def start(
        self, stream_id: str, key: str, timeout_s: float, replace: bool = False, max_points: int | None = None
    ) -> Lease:
        self.keys.append(key)
        self.asked.set()
        assert self.answer_now.wait(10)
        if isinstance(self.started, Exception):
            raise self.started
        return self.started

    def stop(self, session_id: str, timeout_s: float) -> Totals:
        self.stopped.append(session_id)
        return Totals("viewer_stopped", 2_000, 80_000, 2_000)


class Rig:
    def __init__(self, server: Lapsed, first: Lease | None = None) -> None:
        self.server, self.bill = server, Bill()
        self.told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        first = first or lease(next_beat_in_ms=0, lease_ms=0)
        wish = Wish("stream-1")
        self.heartbeat = Heartbeat(server, wish, first, Gate(), self.bill, self.told.put, self.told.put)  # type: ignore[arg-type]
        self.heartbeat.start()

    def settle(self, ending: Ending = STOPPED) -> Receipt:
        self.heartbeat.stop()
        ending, settled = _settle(self.server, self.bill, ending)  # type: ignore[arg-type]
        return Receipt(ending, "stream-1", self.bill, 0, 0, settled)


@pytest.fixture
def anew() -> Iterator[Lapsed]:
    server = Lapsed(lease(session_id="s-2"))
    yield server
    server.beat_now.set()
    server.answer_now.set()


def test_a_start_that_nobody_answers_is_told_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("player.session.start.PAUSES_S", (0.01, 0.01))
    server = Lapsed(UnreachableError("x", "it did not answer in time"))
    server.answer_now.set()
    rig = Rig(server)
    ending = rig.told.get(timeout=3)
    assert (len(server.keys), len(set(server.keys))) == (3, 1)
    assert (ending.end_reason, int(ending.exit_status)) == ("lease_expired", 6)
    assert "may have been bought" in ending.sentence and "runs out by itself" in ending.sentence
    receipt = rig.settle(ending)
    assert not receipt.settled and receipt.ending == ending


def test_a_start_that_was_refused_leaves_nothing_open() -> None:
    server = Lapsed(ProblemError(409, {"code": "stream_not_live"}))
    server.answer_now.set()
    rig = Rig(server)
    ending = rig.told.get(timeout=3)
    assert ending.end_reason == "stream_stopped"
    assert rig.settle(ending).settled and server.stopped == []


def test_a_start_under_way_is_waited_for_and_its_session_stopped(anew: Lapsed) -> None:
    rig = Rig(anew)
    assert anew.asked.wait(3)
    threading.Timer(module.STOP_WAIT_S + 0.5, anew.answer_now.set).start()
    receipt = rig.settle()
    assert anew.stopped == ["s-2"] and receipt.settled
    assert rig.bill.session_ids == ["s-1", "s-2"] and rig.bill.spent_millipoints == 12_000


def test_a_start_that_is_never_answered_is_not_called_settled(anew: Lapsed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_WAIT_S", 0.3)
    rig = Rig(anew)
    assert anew.asked.wait(3)
    began = time.monotonic()
    receipt = rig.settle()
    assert time.monotonic() - began < 1.5
    assert not receipt.settled and "player ledger" in "".join(receipt.lines())


def test_nothing_is_started_once_it_is_to_stop(anew: Lapsed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to a beat that was under way comes after the stop."""
    monkeypatch.setattr(module, "STOP_WAIT_S", 0.1)
    anew.beat_now.clear()
    anew.answer_now.set()
    rig = Rig(anew)
    assert anew.beating.wait(3)
    rig.heartbeat.stop()
    anew.beat_now.set()
    time.sleep(0.3)
    assert anew.keys == []


class Moving(Lapsed):
    """A server that has sold a lease of a minute, and stops what it is asked to stop as `ended` says."""

    def __init__(self, started: Lease | Exception, *ended: str | Exception) -> None:
        super().__init__(started)
        self.answer_now.set()
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
        rig.heartbeat.begin_anew()
    return rig


def test_who_has_moved_gets_the_rest_back_and_goes_on_in_another_session() -> None:
    server = Moving(lease(session_id="s-2", next_beat_in_ms=60_000), UnreachableError("x", "away"), "viewer_stopped")
    rig = moved(server)
    assert rig.told.get(timeout=5).session_id == "s-2"
    assert (server.stopped, len(server.keys), server.beating.is_set()) == (["s-1", "s-1"], 1, False)
    # What the first one has cost is known, and the second is stopped in the end.
    assert rig.settle().settled and server.stopped[2:] == ["s-2"]
    assert rig.bill.spent_millipoints == 4_000


def test_who_is_sent_away_within_a_first_lease_is_told_and_pays_no_further_one() -> None:
    server = Moving(lease(session_id="s-2"))
    rig = moved(server, lease_ms=60_000)
    ending = rig.told.get(timeout=3)
    assert "one address and program" in ending.sentence and int(ending.exit_status) == 8
    assert (server.stopped, server.keys, server.beating.is_set()) == (["s-1"], [], False)
    assert rig.settle(ending).settled


def test_who_has_moved_and_was_kicked_is_told_that() -> None:
    server = Moving(lease(session_id="s-2"), "kicked")
    rig = moved(server)
    assert rig.told.get(timeout=3).end_reason == "kicked" and server.keys == []
    rig.settle()
