"""Issues that take most of a minute to open and close: `make issues`."""

import os
import signal
import time

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.issues.ingest_issues import IssueType
from chalicelib.domain.streams.runtime import RuntimeState
from tests.fixtures.waiting import eventually
from tests.integration.gateway.ingest.harness import KEY
from tests.integration.worker.conftest import lab as lab
from tests.integration.worker.harness import Lab
from tests.integration.worker.senders import free_udp_port, sending, srt_output
from tests.integration.worker.test_worker_pipeline import make_clip
from tests.issues.live import clears, open_issues, opens
from tests.issues.live import short_times as short_times
from worker.supervision import pipeline

PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-t", "4", "-pix_fmt", "yuv420p")


def test_a_sender_that_comes_and_goes(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "ISSUES_TIME_SCALE", 0.25)
    port = free_udp_port()
    ingest = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=port)
    lab.add(ingest=ingest, ingest_key=KEY)
    lab.pipeline()
    for _ in range(4):
        with sending(*srt_output(port, KEY)):
            eventually(lambda: lab.runtime().source == "primary", 30, "the sender", lab.runtime)
        eventually(lambda: lab.runtime().source is None, 30, "no sender", lab.runtime)
    opens(lab, IssueType.SENDER_RECONNECTS)
    clears(lab, IssueType.SENDER_RECONNECTS, timeout_s=60)


def test_an_encoder_that_is_too_slow(lab: Lab) -> None:
    make_clip(lab.media_dir / "clip.mp4", *PICTURE)
    lab.add_file("clip.mp4", segment_seconds=4)
    lab.pipeline()
    lab.wait_for(RuntimeState.LIVE, 40)
    (pid,) = lab.encoders()

    def is_open() -> bool:
        """Let the encoder run for a twentieth of the time, as on a machine with too much to do."""
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1.2)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.06)
        return IssueType.ENCODER_SLOW in open_issues(lab)

    # Its speed is a mean of the last seconds, and what waited meanwhile is encoded first.
    eventually(is_open, 80, "the issue", lab.runtime)
    clears(lab, IssueType.ENCODER_SLOW, timeout_s=90)
