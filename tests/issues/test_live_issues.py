"""Issues of senders, sources, encoder, store and disk: real senders and a pipeline in real time, on the emulator.

The times of all issues are a tenth of the product's, so that a test takes seconds.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable

import pytest

from chalicelib.adapters.clock import SystemClock
from chalicelib.adapters.operations.dynamodb_workers import DynamoWorkers
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.operations.workers import Worker
from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.ingest_issues import CloseReason, IngestIssue, IssueType
from chalicelib.domain.streams.runtime import RuntimeState
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.streams.ingest_refusals import IngestRefusals
from tests.fixtures.waiting import eventually
from tests.integration.gateway.ingest.harness import GOOD, KEY, OTHER_KEY, run_ingest
from tests.integration.worker.conftest import lab as lab
from tests.integration.worker.harness import STREAM, Lab
from tests.integration.worker.puller import WIDE
from tests.integration.worker.senders import free_udp_port, mute_by_srt, sending, srt_output
from tests.integration.worker.test_worker_pipeline import make_clip
from worker.egress_rules import EgressRules
from worker.ingest import failover, receiver_commands
from worker.issues import delivery_rules
from worker.supervision import observing, pipeline

TEST = Ingest(mode=IngestMode.TEST)
PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-t", "4", "-pix_fmt", "yuv420p")
SCALE = 0.1


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "ISSUES_TIME_SCALE", SCALE)
    monkeypatch.setattr(observing, "REFUSALS_INTERVAL_S", 0.5)
    monkeypatch.setattr(failover, "REFUSED_DELAY_S", 0.5)


def open_issues(lab: Lab) -> dict[IssueType, IngestIssue]:
    return {issue.type: issue for issue in lab.issues.open_issues(STREAM)}


def closed(lab: Lab) -> set[IssueType]:
    found = lab.issues.closed_issues(STREAM, before_id=None, limit=100)
    return {issue.type for issue in found if issue.close_reason is CloseReason.CLEARED}


def opens(lab: Lab, *types: IssueType, timeout_s: float = 30) -> None:
    for issue_type in types:
        eventually(lambda wanted=issue_type: wanted in open_issues(lab), timeout_s, issue_type, lab.runtime)


def clears(lab: Lab, *types: IssueType, timeout_s: float = 30) -> None:
    for issue_type in types:
        eventually(
            lambda wanted=issue_type: wanted not in open_issues(lab) and wanted in closed(lab),
            timeout_s,
            f"the end of {issue_type}",
            lab.runtime,
        )


def test_a_sender_by_srt(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver_commands, "MUTE_S", 3)
    port = free_udp_port()
    ingest = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=port)
    lab.add(ingest=ingest, ingest_key=KEY, slate=True)
    lab.pipeline()
    opens(lab, IssueType.NO_SENDER, IssueType.ON_SLATE)
    with sending(*srt_output(port, OTHER_KEY)) as stranger:
        stranger.wait(20)
        opens(lab, IssueType.WRONG_KEY)
    with mute_by_srt(port, KEY):
        opens(lab, IssueType.PICTURE_MISSING)
    clears(lab, IssueType.WRONG_KEY)
    with sending(*srt_output(port, KEY), sound=False):
        clears(lab, IssueType.NO_SENDER, IssueType.ON_SLATE, IssueType.PICTURE_MISSING)
        opens(lab, IssueType.AUDIO_ABSENT)
    opens(lab, IssueType.NO_SENDER)
    with sending(*srt_output(port, KEY)):
        clears(lab, IssueType.NO_SENDER, IssueType.AUDIO_ABSENT)


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


def test_a_sender_by_rtmp_with_a_wrong_key(lab: Lab) -> None:
    with run_ingest() as ingest:
        ingest.collector._refusals = IngestRefusals(lab.s3, SystemClock())
        lab.settings["rtmp_url"] = ingest.url("").rstrip("/")
        lab.add(ingest=Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP), ingest_key=KEY)
        lab.pipeline()

        def refused(stream_key: str, issue_type: IssueType) -> None:
            """Let senders be refused until the issue is open: the collector stores what nginx says of them."""

            def is_open() -> bool:
                ingest.sender(stream_key).wait(20)
                ingest.at_ms = SystemClock().now_ms()
                ingest.collector._attempted_at_ms.clear()
                ingest.collector.write()
                return issue_type in open_issues(lab)

            eventually(is_open, 40, issue_type, lab.runtime)

        refused(GOOD.replace(KEY, OTHER_KEY), IssueType.WRONG_KEY)
        clears(lab, IssueType.WRONG_KEY)
        ingest.sender()
        eventually(lambda: lab.runtime().source == "primary", 30, "the sender", lab.runtime)
        refused(GOOD, IssueType.SENDER_REJECTED)
        clears(lab, IssueType.SENDER_REJECTED)


def test_sources_that_fail_and_their_backup(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "WATCH_FACTOR", 1)
    port = free_udp_port()
    lab.settings["egress"] = EgressRules(networks=WIDE, ports=frozenset((port,)))
    pulled = Ingest(mode=IngestMode.PULL, url=f"srt://127.0.0.1:{port}")
    late = Ingest(mode=IngestMode.FILE, path="late.mp4")
    lab.add(ingest=late, backups=(pulled, TEST))
    lab.pipeline()
    opens(lab, IssueType.ON_BACKUP, IssueType.SOURCE_REFUSED, IssueType.SOURCE_FAILING)
    with sending("-f", "mpegts", f"srt://127.0.0.1:{port}?mode=listener"):
        clears(lab, IssueType.SOURCE_FAILING, timeout_s=60)
    make_clip(lab.media_dir / "new.mp4", *PICTURE)
    (lab.media_dir / "new.mp4").rename(lab.media_dir / "late.mp4")
    clears(lab, IssueType.ON_BACKUP, IssueType.SOURCE_REFUSED)


def test_the_store_and_the_disk(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.add()
    lab.pipeline()
    lab.wait_for(RuntimeState.LIVE)

    def of_segments(act: Callable[[], None]) -> Callable[[str, str], None]:
        return lambda operation, key: act() if operation == "put" and key.endswith(".ts") else None

    def fails() -> None:
        raise StoreUnavailable("no answer")

    lab.media.before = of_segments(fails)
    opens(lab, IssueType.STORE_FAILING)
    lab.media.before = of_segments(lambda: time.sleep(0.8))
    clears(lab, IssueType.STORE_FAILING)
    opens(lab, IssueType.UPLOAD_SLOW)
    lab.media.before = of_segments(lambda: None)
    clears(lab, IssueType.UPLOAD_SLOW)
    free_bytes = shutil.disk_usage(lab.directory).free
    with monkeypatch.context() as patch:
        patch.setattr(delivery_rules, "DISK_FREE_BYTES_MIN", 2 * free_bytes)
        patch.setattr(delivery_rules, "DISK_FREE_BYTES_STAYS", 2 * free_bytes)
        opens(lab, IssueType.DISK_LOW)
    clears(lab, IssueType.DISK_LOW)


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

    eventually(is_open, 40, "the issue", lab.runtime)
    clears(lab, IssueType.ENCODER_SLOW)


def test_a_stream_without_a_worker(lab: Lab, settings: Settings) -> None:
    stream, services = lab.add(), Container(settings)
    services.controller.changed(stream)
    assert set(open_issues(lab)) == {IssueType.NO_WORKER}
    workers = DynamoWorkers(settings.table_prefix)
    workers.report(Worker(worker_id="w-full", capacity=1, stream_ids=("other",), seen_at_ms=SystemClock().now_ms()))
    services.controller.tick()
    assert set(open_issues(lab)) == {IssueType.NO_CAPACITY} and closed(lab) == {IssueType.NO_WORKER}
    lab.pipeline()
    clears(lab, IssueType.NO_CAPACITY)
