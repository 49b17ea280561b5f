"""Each process is killed while a viewer watches: it recovers, and no charge is lost or doubled."""

import os
import signal
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.e2e.conftest import STREAM_ID, Platform, Viewer
from tests.e2e.test_main_job import play
from tests.fixtures.waiting import wait_for
from tests.integration.player.player_harness import PlayProcess

BACK_S_MAX = 25.0


def newest_child(pid: int) -> int:
    return psutil.Process(pid).children(recursive=True)[-1].pid


def api_worker(platform: Platform) -> int:
    return newest_child(platform.stack.pid("api"))


def endpoints_worker(platform: Platform) -> int:
    return newest_child(platform.stack.pid("endpoints"))


def nginx_worker(platform: Platform) -> int:
    return newest_child(platform.stack.pid("nginx"))


def nginx_master(platform: Platform) -> int:
    return platform.stack.pid("nginx")


def api_master(platform: Platform) -> int:
    return platform.stack.pid("api")


# `tests/e2e/test_unbroken.py` kills the worker and its encoder.
PROCESSES = [api_worker, endpoints_worker, api_master, nginx_worker, nginx_master]


@pytest.fixture(scope="module")
def watched(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Viewer, PlayProcess]]:
    person = platform.viewer(1_000_000, tmp_path_factory.mktemp("recovery"))
    playback = play(person)
    yield person, playback
    exit_status, receipt = playback.interrupt()
    assert exit_status == 130
    assert len(receipt["session_ids"]) == 1
    person.check_ledger()
    [session] = person.sessions()
    assert receipt["spent_millipoints"] == session["charged_millipoints"]
    assert session["charged_millipoints"] <= session["watched_ms"] + session["reserved_millipoints"] + 20


@pytest.mark.parametrize("find_pid", PROCESSES, ids=lambda find_pid: find_pid.__name__)
def test_a_killed_process_recovers(
    platform: Platform, watched: tuple[Viewer, PlayProcess], find_pid: Callable[[Platform], int]
) -> None:
    person, playback = watched
    before = playback.position()
    pid = find_pid(platform)
    os.kill(pid, signal.SIGKILL)
    wait_for("successor", lambda: not psutil.pid_exists(pid) and found(find_pid, platform) not in (0, pid))
    wait_for("moving picture", lambda: playback.position() > max(before, 0.1) + 3, BACK_S_MAX)
    assert playback.process.poll() is None
    wait_for("live stream", lambda: is_live(platform), BACK_S_MAX)
    person.check_ledger()


def found(find_pid: Callable[[Platform], int], platform: Platform) -> int:
    try:
        return find_pid(platform)
    except (IndexError, OSError, psutil.Error):
        return 0


def is_live(platform: Platform) -> bool:
    try:
        return bool(platform.operator("GET", f"/streams/{STREAM_ID}/runtime")["state"] == "live")
    except Exception:
        return False
