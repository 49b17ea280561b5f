"""Handing a stream over in time, whatever hangs just then."""

import signal
import threading
import time

from chalicelib.domain.streams import RuntimeState
from tests.integration.worker.harness import Lab, eventually
from worker.pipeline import LOGS_WAIT_S, End

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
    lab.signal_ffmpeg(signal.SIGSTOP)
    began_s = time.monotonic()
    pipeline.hand_over(began_s + HAND_OVER_S)
    eventually(lambda: lab.runtime().claim is None, HAND_OVER_S, "the claim is released", lab.runtime)
    assert lab.runtime().state is RuntimeState.STOPPED
    # The logs hang, too.
    pipeline.join(began_s + HAND_OVER_S + LOGS_WAIT_S + 0.3 - time.monotonic())
    assert not pipeline.is_alive() and pipeline.end is End.HANDOVER
    over.set()
