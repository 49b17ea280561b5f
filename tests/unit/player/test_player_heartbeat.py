"""The heartbeat's decisions, with a server that answers from a script."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from player.endings import Ending
from player.errors import LoginExpiredError, UnreachableError
from player.http.client import ProblemError
from player.session.charges import Charges
from player.session.playback_api import Lease, Totals
from tests.unit.player.player_fakes import HeartbeatRig, lease


class Script:
    """A server with a list of answers to heartbeats and starts; after the last one it reports `stream_stopped`."""

    def __init__(self, *answers: Lease | Exception) -> None:
        self.answers = list(answers)
        self.heartbeats: list[tuple[str, int]] = []
        self.starts: list[int | None] = []
        self.stops: list[str] = []

    def heartbeat(self, session_id: str, seq: int, timeout_s: float) -> Lease:
        self.heartbeats.append((session_id, seq))
        return self._next()

    def start(
        self, stream_id: str, key: str, timeout_s: float, replace: bool = False, max_points: int | None = None
    ) -> Lease:
        self.starts.append(max_points)
        return self._next()

    def stop(self, session_id: str, timeout_s: float) -> Totals:
        self.stops.append(session_id)
        return Totals("viewer_stopped", 10_000, 80_000, 10_000)

    def _next(self) -> Lease:
        answer = self.answers.pop(0) if self.answers else over("stream_stopped")
        if isinstance(answer, Exception):
            raise answer
        return answer


def now(**fields: Any) -> Lease:
    return lease(**{"next_beat_in_ms": 0, **fields})


def over(reason: str, **fields: Any) -> ProblemError:
    return ProblemError(402, {"code": reason, "end_reason": reason, **fields})


Build = Callable[..., HeartbeatRig]


@pytest.fixture
def build() -> Iterator[Build]:
    """Build heartbeats that end with the test."""
    rigs: list[HeartbeatRig] = []

    def build_rig(*arguments: Any, **options: Any) -> HeartbeatRig:
        rigs.append(HeartbeatRig(*arguments, **options))
        return rigs[-1]

    yield build_rig
    for rig in rigs:
        rig.heartbeat.stop()


Run = Callable[..., tuple[list[Any], Charges]]


@pytest.fixture
def run(build: Build) -> Run:
    def run_until_over(script: Script, first: Lease, max_points: int | None = None) -> tuple[list[Any], Charges]:
        rig = build(script, first, max_points)
        rig.heartbeat.start()
        reports = [rig.next_report()]
        while not isinstance(reports[-1], Ending):
            reports.append(rig.next_report())
        return reports, rig.charges

    return run_until_over


def test_heartbeats_go_on_until_the_server_ends_the_session(run: Run) -> None:
    script = Script(
        now(seq=2), now(seq=3), over("balance_exhausted", charged_millipoints=25_000, balance_millipoints=0)
    )
    seen, charges = run(script, now())
    assert [seq for _, seq in script.heartbeats] == [2, 3, 4]
    assert (len(seen), seen[-1].end_reason) == (3, "balance_exhausted")
    assert (charges.spent_millipoints, charges.balance_millipoints) == (25_000, 0)


def test_an_early_heartbeat_is_repeated_with_its_number(run: Run) -> None:
    script = Script(now(seq=1, outcome="early", charged_millipoints=0), now(seq=2))
    run(script, now())
    assert [seq for _, seq in script.heartbeats] == [2, 2, 3]


@pytest.mark.parametrize("failure", [UnreachableError("x", "away"), ProblemError(429, {}, retry_after_s=0.1)])
def test_a_failure_repeats_the_number(run: Run, failure: Exception) -> None:
    script = Script(failure, now(seq=2))
    run(script, now())
    assert [seq for _, seq in script.heartbeats] == [2, 2, 3]


def test_failures_until_the_paid_time_is_over_lose_the_network(run: Run) -> None:
    script = Script(*[UnreachableError("x", "away")] * 50)
    started_at = time.monotonic()
    seen, _ = run(script, now(expires_in=0.5))
    assert (int(seen[-1].exit_status), seen[-1].end_reason) == (6, "lease_expired")
    assert 0.4 < time.monotonic() - started_at < 2


def test_a_lapsed_session_is_restarted_within_the_viewers_limit(run: Run) -> None:
    restarted = now(session_id="s-2", lease_ms=0)
    script = Script(over("lease_expired", charged_millipoints=9_500), restarted, now(session_id="s-2", seq=2))
    seen, charges = run(script, now(lease_ms=0), max_points=30)
    assert (script.starts, script.heartbeats[1]) == ([20], ("s-2", 2))
    assert charges.session_ids == ["s-1", "s-2"] and seen[-1].end_reason == "stream_stopped"


def test_a_session_that_lapses_in_its_first_lease_is_not_restarted(run: Run) -> None:
    script = Script(over("lease_expired"))
    seen, _ = run(script, now())
    assert (script.starts, int(seen[-1].exit_status)) == ([], 6)


def test_no_session_is_restarted_beyond_the_viewers_limit(run: Run) -> None:
    script = Script(over("lease_expired", charged_millipoints=9_500))
    seen, _ = run(script, now(lease_ms=0), max_points=10)
    assert (script.starts, seen[-1].end_reason) == ([], "max_points_reached")


def test_an_expired_login_ends_the_session_as_refused(run: Run) -> None:
    seen, _ = run(Script(LoginExpiredError()), now())
    assert int(seen[-1].exit_status) == 4 and "player login" in seen[-1].sentence


def test_a_paused_session_sends_a_heartbeat_only_after_it_is_resumed(build: Build) -> None:
    script = Script(now(seq=2))
    paused = build(script, now())
    paused.heartbeat.pause()
    paused.heartbeat.start()
    paused.heartbeat.send_now()
    time.sleep(0.2)
    assert script.heartbeats == []
    paused.heartbeat.resume()
    assert isinstance(paused.next_report(), Lease)


def test_resuming_releases_the_media_even_if_none_has_arrived_yet(build: Build) -> None:
    """mpv was started with `--pause`: the first playlist is fetched after the resume."""
    script = Script(now(seq=2))
    paused = build(script, now())
    paused.heartbeat.set_media_failing(True)
    paused.heartbeat.pause()
    paused.heartbeat.start()
    paused.heartbeat.resume()
    paused.heartbeat.set_media_failing(True)
    assert paused.next_report().seq == 2
    assert paused.credentials.get(5).token == "t-1"
    time.sleep(0.2)
    assert len(script.heartbeats) == 1


def test_while_media_fail_only_requested_leases_are_bought(build: Build) -> None:
    script = Script(now(seq=2), now(seq=3), now(seq=4))
    failing = build(script, now())
    failing.heartbeat.set_media_failing(True)
    failing.heartbeat.start()
    time.sleep(0.2)
    assert script.heartbeats == [], "it is due, but no media arrive"
    failing.heartbeat.send_now()
    assert failing.next_report().seq == 2
    time.sleep(0.2)
    assert len(script.heartbeats) == 1, "one lease for the retry, not more"
    failing.heartbeat.set_media_failing(False)
    assert [failing.next_report().seq for _ in range(2)] == [3, 4]


def test_a_failed_heartbeat_is_repeated_even_while_media_fail(build: Build) -> None:
    failing = build(Script(*[UnreachableError("x", "away")] * 50), now(expires_in=1))
    failing.heartbeat.start()
    time.sleep(0.2)
    failing.heartbeat.set_media_failing(True)
    assert failing.next_report().end_reason == "lease_expired"


@pytest.mark.parametrize("order", [("pause", "restart"), ("restart", "pause")])
def test_a_restart_waits_for_the_end_of_a_pause(build: Build, order: tuple[str, ...]) -> None:
    script = Script(now(session_id="s-2", lease_ms=0, next_beat_in_ms=60_000))
    paused = build(script, now(lease_ms=0))
    for name in order:
        getattr(paused.heartbeat, name)()
    paused.heartbeat.start()
    time.sleep(0.2)
    assert script.stops == []
    paused.heartbeat.resume()
    assert paused.next_report().session_id == "s-2"
    assert (script.stops, script.heartbeats) == (["s-1"], [])
