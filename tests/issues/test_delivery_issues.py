"""Issues of sources, store, disk and workers, with a pipeline in real time."""

import shutil
import time
from collections.abc import Callable

import pytest

from chalicelib.adapters.clock import SystemClock
from chalicelib.adapters.operations.dynamodb_workers import DynamoWorkers
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.operations.workers import Worker
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.issues.ingest_issues import IssueType
from chalicelib.domain.streams.runtime import RuntimeState
from chalicelib.ports.common import StoreUnavailable
from tests.integration.worker.conftest import lab as lab
from tests.integration.worker.harness import Lab
from tests.integration.worker.puller import WIDE
from tests.integration.worker.senders import free_udp_port, sending
from tests.integration.worker.test_worker_pipeline import make_clip
from tests.issues.live import clears, closed, open_issues, opens
from tests.issues.live import short_times as short_times
from worker.egress_rules import EgressRules
from worker.ingest import failover
from worker.issues import delivery_rules

PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-t", "4", "-pix_fmt", "yuv420p")
TEST = Ingest(mode=IngestMode.TEST)


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
