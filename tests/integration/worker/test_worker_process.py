"""Whole workers: started by the queue or a scan, killed, restarted, drained, replaced."""

import signal
from pathlib import Path

from chalicelib.domain.streams.runtime import RuntimeState
from chalicelib.domain.streams.stream import DesiredState
from tests.integration.worker.harness import Lab, eventually

# Well below the time of a claim, after which another worker could take it.
TAKEN_S_MAX = 5.0


def epoch(lab: Lab) -> int:
    claim = lab.runtime().claim
    return claim.epoch if claim else 0


def test_a_killed_worker_comes_back_and_a_drained_one_hands_over(lab: Lab) -> None:
    first = lab.process("w1")
    alive = lab.directory / "work" / "w1.alive"
    eventually(alive.exists, 10, "the worker turns")
    lab.add()
    lab.queue.send("stream-1")
    lab.wait_for(RuntimeState.LIVE)
    lab.wait_for_segments(1)

    first.send_signal(signal.SIGKILL)
    first.wait(5)
    eventually(lambda: not lab.encoders(), 3, "its ffmpeg ended with it")
    alive.unlink()
    second = lab.process("w1")
    eventually(alive.exists, 20, "the worker runs again")
    # Its own claim is taken back at once; another's it would have to wait for.
    eventually(lambda: epoch(lab) == 2, TAKEN_S_MAX, "the stream is taken back")
    lab.wait_for_run("2-1")
    lab.wait_for(RuntimeState.LIVE)

    lab.process("w2")
    eventually((lab.directory / "work" / "w2.alive").exists, 10, "the other worker turns")
    second.send_signal(signal.SIGTERM)
    assert second.wait(5) == 0
    eventually(lambda: epoch(lab) == 3, TAKEN_S_MAX, "the stream is handed over")
    lab.wait_for_run("3-1")
    runtime = lab.wait_for(RuntimeState.LIVE)
    assert runtime.claim and runtime.claim.worker_id == "w2"
    assert lab.runs() == ["1-1", "2-1", "3-1"] and not lab.follower.ended

    lab.change(hint=True, desired_state=DesiredState.STOPPED)
    eventually(lambda: not lab.encoders(), 3, "ffmpeg ended")
    eventually(lambda: lab.runtime().claim is None, 3, "the claim is released")
    lab.follower.poll()
    assert lab.follower.ended


def test_a_worker_with_wrong_settings_says_so(lab: Lab, tmp_path: Path) -> None:
    lab.media_dir.rename(tmp_path / "elsewhere")
    lab.environ = lambda worker_id: {**Lab.environ(lab, worker_id), "TOLLCAST_MEDIA_DIR": "relative"}  # type: ignore[method-assign]
    process = lab.process("w9")
    assert process.wait(15) == 2
    assert "TOLLCAST_MEDIA_DIR" in (lab.directory / "w9.log").read_text()
