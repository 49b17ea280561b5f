"""Issues of senders, which really send by SRT and RTMP."""

import pytest

from chalicelib.adapters.clock import SystemClock
from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.issues.ingest_issues import IssueType
from chalicelib.services.streams.ingest_refusals import IngestRefusals
from tests.fixtures.waiting import eventually
from tests.integration.gateway.ingest.harness import GOOD, KEY, OTHER_KEY, run_ingest
from tests.integration.worker.conftest import lab as lab
from tests.integration.worker.harness import Lab
from tests.integration.worker.senders import free_udp_port, mute_by_srt, sending, srt_output
from tests.issues.live import clears, open_issues, opens
from tests.issues.live import short_times as short_times
from worker.ingest import receiver_commands


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
