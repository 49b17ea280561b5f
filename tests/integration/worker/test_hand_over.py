"""Streams are handed over in time, whatever hangs at that moment."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import worker.supervision.pipeline
from chalicelib.domain.streams.runtime import RuntimeState
from tests.fixtures.waiting import eventually
from tests.integration.worker.harness import Lab
from worker.supervision.pipeline import LOGS_WAIT_S, EndReason

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
