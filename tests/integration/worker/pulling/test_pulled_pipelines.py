"""Streams that are pulled by srt and rtmps, through a whole pipeline."""

import signal

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import RuntimeState
from tests.fixtures.authority import Authority
from tests.fixtures.waiting import eventually
from tests.integration.gateway.ingest.harness import GOOD, KEY, run_ingest
from tests.integration.worker.harness import Lab
from tests.integration.worker.origins import Front
from tests.integration.worker.puller import WIDE, here, rules
from tests.integration.worker.senders import free_udp_port, sending
from tests.integration.worker.test_ingest import add, wait_for_first_segment
from worker.egress_rules import EgressRules
from worker.ingest.source_pool import BREAKS_PER_OPENING

NAME = "source.test"


def wait_for_another_run(lab: Lab, run: str) -> None:
    eventually(lambda: lab.follower.poll() >= 0 and lab.runs()[-1] != run, 20, "another run", lab.runtime)


def test_srt_is_pulled_and_its_passphrase_stays_secret(lab: Lab) -> None:
    port, secret = free_udp_port(), "correct-horse-battery"
    lab.settings["egress"] = EgressRules(networks=WIDE, lookup=here)
    url = f"srt://{NAME}:{port}?latency=120000&passphrase={secret}&pbkeylen=32"
    with sending("-f", "mpegts", f"srt://127.0.0.1:{port}?mode=listener&passphrase={secret}&pbkeylen=32") as sender:
        add(lab, Ingest(mode=IngestMode.PULL, url=url))
        lab.pipeline()
        wait_for_first_segment(lab)
        assert lab.wait_for(RuntimeState.LIVE).source == "primary"
        assert lab.programs("", secret) == [sender.pid]
        assert secret not in str(lab.runtime())


def test_rtmps_is_pulled_and_reopened_when_its_runs_fail(lab: Lab, authority: Authority) -> None:
    with run_ingest() as ingest, Front("127.0.0.1", authority.context(NAME), ingest.port) as front:
        lab.settings["egress"] = rules(authority, front.port, lookup=here)
        ingest.sender()
        add(lab, Ingest(mode=IngestMode.PULL, url=f"rtmps://{NAME}:{front.port}/live/{GOOD}"))
        lab.pipeline()
        wait_for_first_segment(lab)
        assert lab.wait_for(RuntimeState.LIVE).source == "primary"
        assert lab.programs("", KEY) == [process.pid for process in ingest.started]
        opened = front.connections
        for _ in range(BREAKS_PER_OPENING):
            lab.signal_encoder(signal.SIGKILL)
            wait_for_another_run(lab, lab.runs()[-1])
        assert front.connections > opened
        lab.wait_for(RuntimeState.LIVE)
