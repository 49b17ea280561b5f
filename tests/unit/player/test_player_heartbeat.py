"""The heartbeat's decisions, with a server that answers from a script."""

import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from player_fakes import lease

from player.errors import LoginExpiredError, UnreachableError
from player.http.client import ProblemError
from player.media.credentials import Gate
from player.outcome import Ending
from player.session.heartbeat import Heartbeat
from player.session.playback_api import Lease
from player.session.receipt import Bill
from player.session.start import Wish

WAIT_S = 5.0


class Script:
    """A server whose answers to beats and starts are listed beforehand; after the last it says `stream_stopped`."""

    def __init__(self, *answers: Lease | Exception) -> None:
        self.answers = list(answers)
        self.beats: list[tuple[str, int]] = []
        self.starts: list[int | None] = []

    def beat(self, session_id: str, seq: int, timeout_s: float) -> Lease:
        self.beats.append((session_id, seq))
        return self._next()

    def start(
        self, stream_id: str, key: str, timeout_s: float, replace: bool = False, max_points: int | None = None
    ) -> Lease:
        self.starts.append(max_points)
        return self._next()

    def _next(self) -> Lease:
        answer = self.answers.pop(0) if self.answers else over("stream_stopped")
        if isinstance(answer, Exception):
            raise answer
        return answer


def now(**fields: Any) -> Lease:
    return lease(next_beat_in_ms=0, lease_ms=fields.pop("lease_ms", 10_000), **fields)


def over(reason: str, **fields: Any) -> ProblemError:
    return ProblemError(402, {"code": reason, "end_reason": reason, **fields})


Run = Callable[..., tuple[list[Any], Bill]]


@pytest.fixture
def run() -> Iterator[Run]:
    beating: list[Heartbeat] = []

    def run_until_over(script: Script, first: Lease, max_points: int | None = None) -> tuple[list[Any], Bill]:
        told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        bill = Bill()
        wish = Wish("stream-1", max_points)
        heartbeat = Heartbeat(script, wish, first, Gate(), bill, told.put, told.put)  # type: ignore[arg-type]
        beating.append(heartbeat)
        heartbeat.start()
        seen = []
        while not seen or not isinstance(seen[-1], Ending):
            seen.append(told.get(timeout=WAIT_S))
        return seen, bill

    yield run_until_over
    for heartbeat in beating:
        heartbeat.stop()


def test_it_beats_on_until_the_server_ends_it(run: Run) -> None:
    script = Script(
        now(seq=2), now(seq=3), over("balance_exhausted", charged_millipoints=25_000, balance_millipoints=0)
    )
    seen, bill = run(script, now())
    assert [seq for _, seq in script.beats] == [2, 3, 4]
    assert (len(seen), seen[-1].end_reason) == (3, "balance_exhausted")
    assert (bill.spent_millipoints, bill.balance_millipoints) == (25_000, 0)


def test_an_early_beat_is_sent_again_with_its_number(run: Run) -> None:
    script = Script(now(seq=1, outcome="early", charged_millipoints=0), now(seq=2))
    run(script, now())
    assert [seq for _, seq in script.beats] == [2, 2, 3]


@pytest.mark.parametrize("failure", [UnreachableError("x", "away"), ProblemError(429, {}, retry_after_s=0.1)])
def test_a_failure_repeats_the_number(run: Run, failure: Exception) -> None:
    script = Script(failure, now(seq=2))
    run(script, now())
    assert [seq for _, seq in script.beats] == [2, 2, 3]


def test_failures_until_the_paid_time_is_over_lose_the_network(run: Run) -> None:
    script = Script(*[UnreachableError("x", "away")] * 50)
    began = time.monotonic()
    seen, _ = run(script, now(expires_in=0.5))
    assert (int(seen[-1].exit_status), seen[-1].end_reason) == (6, "lease_expired")
    assert 0.4 < time.monotonic() - began < 2


def test_a_session_that_lapsed_is_started_anew_within_the_viewers_limit(run: Run) -> None:
    anew = now(session_id="s-2", lease_ms=0)
    script = Script(over("lease_expired", charged_millipoints=9_500), anew, now(session_id="s-2", seq=2))
    seen, bill = run(script, now(lease_ms=0), max_points=30)
    assert (script.starts, script.beats[1]) == ([20], ("s-2", 2))
    assert bill.session_ids == ["s-1", "s-2"] and seen[-1].end_reason == "stream_stopped"


def test_a_lapse_within_the_first_lease_is_not_started_again_and_again(run: Run) -> None:
    script = Script(over("lease_expired"))
    seen, _ = run(script, now())
    assert (script.starts, int(seen[-1].exit_status)) == ([], 6)


def test_nothing_is_started_anew_beyond_the_viewers_limit(run: Run) -> None:
    script = Script(over("lease_expired", charged_millipoints=9_500))
    seen, _ = run(script, now(lease_ms=0), max_points=10)
    assert (script.starts, seen[-1].end_reason) == ([], "max_points_reached")


def test_an_expired_login_ends_it_as_refused(run: Run) -> None:
    seen, _ = run(Script(LoginExpiredError()), now())
    assert int(seen[-1].exit_status) == 4 and "player login" in seen[-1].sentence


def test_a_paused_viewing_beats_only_after_it_is_resumed() -> None:
    script, gate = Script(now(seq=2)), Gate()
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    wish = Wish("stream-1")
    heartbeat = Heartbeat(script, wish, now(), gate, Bill(), told.put, told.put)  # type: ignore[arg-type]
    heartbeat.pause()
    heartbeat.start()
    heartbeat.beat_now()
    time.sleep(0.2)
    assert script.beats == []
    heartbeat.resume()
    assert isinstance(told.get(timeout=WAIT_S), Lease)
    heartbeat.stop()


def test_while_no_media_arrives_it_buys_only_what_is_asked_for() -> None:
    script, gate = Script(now(seq=2), now(seq=3), now(seq=4)), Gate()
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    heartbeat = Heartbeat(script, Wish("stream-1"), now(), gate, Bill(), told.put, told.put)  # type: ignore[arg-type]
    heartbeat.hold_back(True)
    heartbeat.start()
    time.sleep(0.2)
    assert script.beats == [], "it is due, but nothing arrives"
    heartbeat.beat_now()
    assert told.get(timeout=WAIT_S).seq == 2
    time.sleep(0.2)
    assert len(script.beats) == 1, "one lease to try again with, not more"
    heartbeat.hold_back(False)
    assert [told.get(timeout=WAIT_S).seq for _ in range(2)] == [3, 4]
    heartbeat.stop()


def test_a_beat_that_failed_is_repeated_even_while_no_media_arrives() -> None:
    script, gate = Script(*[UnreachableError("x", "away")] * 50), Gate()
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    wish, first = Wish("stream-1"), now(expires_in=1)
    heartbeat = Heartbeat(script, wish, first, gate, Bill(), told.put, told.put)  # type: ignore[arg-type]
    heartbeat.start()
    time.sleep(0.2)
    heartbeat.hold_back(True)
    assert told.get(timeout=WAIT_S).end_reason == "lease_expired"
    heartbeat.stop()
