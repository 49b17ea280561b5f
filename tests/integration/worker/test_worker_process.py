"""Whole workers: started by the queue or a scan, killed, drained, replaced; and streams handed over in time."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import worker.supervision.pipeline
from chalicelib.domain.streams.runtime import RuntimeState
from chalicelib.domain.streams.stream import DesiredState
from tests.fixtures.waiting import eventually
from tests.integration.worker.harness import Lab
from worker.supervision.pipeline import LOGS_WAIT_S, EndReason

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


HAND_OVER_S = 3.0


@contextmanager
def hanging_store(lab: Lab, name: str = "") -> Iterator[threading.Event]:
    """Wait until the store hangs at writing an object of this name; give the event that ends it.

    What hung has ended when this returns, so that it uses nothing of the next test.
    """
    hanging, over, hung = threading.Event(), threading.Event(), set()

    def before(operation: str, key: str) -> None:
        if operation == "put" and key.endswith(name):
            hung.add(threading.current_thread())
            hanging.set()
            over.wait(20)

    lab.media.before = before
    assert hanging.wait(10)
    try:
        yield over
    finally:
        over.set()
        for thread in hung:
            thread.join(5)


def test_a_claim_is_released_in_time_though_ffmpeg_and_the_media_store_hang(lab: Lab) -> None:
    lab.add()
    pipeline = lab.pipeline()
    lab.wait_for(RuntimeState.LIVE)
    with hanging_store(lab):
        lab.signal_encoder(signal.SIGSTOP)
        began_s = time.monotonic()
        pipeline.hand_over(began_s + HAND_OVER_S)
        eventually(lambda: lab.runtime().claim is None, HAND_OVER_S, "the claim is released", lab.runtime)
        assert lab.runtime().state is RuntimeState.STOPPED
        # The logs hang, too.
        pipeline.join(began_s + HAND_OVER_S + LOGS_WAIT_S + 0.3 - time.monotonic())
        assert not pipeline.is_alive() and pipeline.end is EndReason.HANDOVER


def test_new_settings_that_meet_a_hanging_store_begin_with_a_new_claim(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.supervision.pipeline, "CLOSE_S", 1.0)
    lab.add()
    first = lab.pipeline()
    lab.wait_for(RuntimeState.LIVE)
    with hanging_store(lab, f"{lab.rendition}/index.m3u8") as over:
        lab.change(generation=2)
        first.join(10)
        assert first.end is EndReason.HANDOVER and lab.runtime().claim is None
        lab.media.before = lambda operation, key: None
        lab.pipeline()
        lab.wait_for_segments(1)
        # What hung arrives late, under the epoch before.
        over.set()
        lab.wait_for_segments(2)
        assert lab.runs() == ["1-1", "2-1"]
