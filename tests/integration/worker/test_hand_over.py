"""Streams are handed over in time, whatever hangs at that moment."""

import signal
import threading
import time

import pytest

import worker.supervision.pipeline
from chalicelib.domain.streams.runtime import RuntimeState
from tests.integration.worker.harness import Lab, eventually
from tests.integration.worker.test_ingest import SMALL
from worker.supervision.pipeline import LOGS_WAIT_S, EndReason

HAND_OVER_S = 3.0


def test_a_claim_is_released_in_time_though_ffmpeg_and_the_media_store_hang(lab: Lab) -> None:
    lab.add()
    pipeline = lab.pipeline()
    lab.wait_for(RuntimeState.LIVE)
    hanging, over = threading.Event(), threading.Event()

    def before(operation: str, key: str) -> None:
        if operation == "put":
            hanging.set()
            over.wait(20)

    lab.media.before = before
    assert hanging.wait(10)
    lab.signal_encoder(signal.SIGSTOP)
    began_s = time.monotonic()
    pipeline.hand_over(began_s + HAND_OVER_S)
    eventually(lambda: lab.runtime().claim is None, HAND_OVER_S, "the claim is released", lab.runtime)
    assert lab.runtime().state is RuntimeState.STOPPED
    # The logs hang, too.
    pipeline.join(began_s + HAND_OVER_S + LOGS_WAIT_S + 0.3 - time.monotonic())
    assert not pipeline.is_alive() and pipeline.end is EndReason.HANDOVER
    over.set()


def test_new_settings_that_meet_a_hanging_store_begin_with_a_new_claim(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.supervision.pipeline, "CLOSE_S", 1.0)
    lab.rendition = SMALL.name
    lab.add(abr_profile="custom", custom_renditions=(SMALL,))
    first = lab.pipeline()
    lab.wait_for(RuntimeState.LIVE)
    hanging, over = threading.Event(), threading.Event()

    def before(operation: str, key: str) -> None:
        if operation == "put" and key.endswith(f"{lab.rendition}/index.m3u8"):
            hanging.set()
            over.wait(20)

    lab.media.before = before
    assert hanging.wait(10)
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
