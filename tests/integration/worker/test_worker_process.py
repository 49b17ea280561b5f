"""Whole workers: found by the queue and by themselves, killed, restarted, drained, replaced."""

import signal
import time
from pathlib import Path

from chalicelib.domain.streams import DesiredState, RuntimeState
from tests.integration.worker.harness import Lab, eventually


def test_a_killed_worker_comes_back_and_a_drained_one_hands_over(lab: Lab) -> None:
    first = lab.process("w1")
    eventually((lab.directory / "work" / "w1.alive").exists, 10, "the worker turns")
    lab.add()
    lab.queue.send("stream-1")
    lab.wait_for(RuntimeState.LIVE)
    lab.wait_for_segments(1)

    first.send_signal(signal.SIGKILL)
    first.wait(5)
    eventually(lambda: not lab.ffmpegs(), 3, "its ffmpeg is gone with it")
    restarted_at = time.monotonic()
    second = lab.process("w1")
    lab.wait_for_run("2-1")
    assert time.monotonic() - restarted_at < 8
    lab.wait_for(RuntimeState.LIVE)

    lab.process("w2")
    eventually((lab.directory / "work" / "w2.alive").exists, 10, "the other worker turns")
    second.send_signal(signal.SIGTERM)
    assert second.wait(5) == 0
    handed_over_at = time.monotonic()
    lab.wait_for_run("3-1")
    assert time.monotonic() - handed_over_at < 8
    runtime = lab.wait_for(RuntimeState.LIVE)
    assert runtime.claim and runtime.claim.worker_id == "w2"
    assert lab.runs() == ["1-1", "2-1", "3-1"] and not lab.follower.ended

    lab.change(hint=True, desired_state=DesiredState.STOPPED)
    eventually(lambda: not lab.ffmpegs(), 3, "ffmpeg ended")
    eventually(lambda: lab.runtime().claim is None, 3, "the claim is released")
    lab.follower.poll()
    assert lab.follower.ended


def test_a_worker_with_wrong_settings_says_so(lab: Lab, tmp_path: Path) -> None:
    lab.media_dir.rename(tmp_path / "elsewhere")
    lab.environ = lambda worker_id: {**Lab.environ(lab, worker_id), "TOLLCAST_MEDIA_DIR": "relative"}  # type: ignore[method-assign]
    process = lab.process("w9")
    assert process.wait(15) == 2
    assert "TOLLCAST_MEDIA_DIR" in (lab.directory / "w9.log").read_text()
