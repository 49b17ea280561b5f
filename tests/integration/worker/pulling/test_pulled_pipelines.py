"""Streams that are pulled by srt and rtmps, through a whole pipeline."""

import signal
from ipaddress import ip_network

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import RuntimeState
from tests.fixtures.authority import Authority
from tests.integration.gateway.ingest.harness import GOOD, KEY, run_ingest
from tests.integration.worker.harness import Lab, eventually
from tests.integration.worker.origins import Front
from tests.integration.worker.senders import free_udp_port, sending
from tests.integration.worker.test_ingest import SMALL, add, wait_for_first_segment
from worker.egress_rules import EgressRules
from worker.ingest.source_pool import BREAKS_PER_OPENING

NAME = "source.test"
INSIDE = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def small(lab: Lab) -> Lab:
    lab.rendition = SMALL.name
    return lab


def wait_for_another_run(lab: Lab, run: str) -> None:
    eventually(lambda: lab.follower.poll() >= 0 and lab.runs()[-1] != run, 20, "another run", lab.runtime)


def test_srt_is_pulled_and_its_passphrase_stays_secret(small: Lab) -> None:
    port, secret = free_udp_port(), "correct-horse-battery"
    small.settings["egress"] = EgressRules(networks=INSIDE, lookup=lambda host: ["127.0.0.1"])
    url = f"srt://{NAME}:{port}?latency=120000&passphrase={secret}&pbkeylen=32"
    with sending("-f", "mpegts", f"srt://127.0.0.1:{port}?mode=listener&passphrase={secret}&pbkeylen=32") as sender:
        add(small, Ingest(mode=IngestMode.PULL, url=url))
        small.pipeline()
        wait_for_first_segment(small)
        assert small.wait_for(RuntimeState.LIVE).source == "primary"
        assert small.programs("", secret) == [sender.pid]
        assert secret not in str(small.runtime())


def test_rtmps_is_pulled_and_reopened_when_its_runs_fail(small: Lab, authority: Authority) -> None:
    with run_ingest() as ingest, Front("127.0.0.1", authority.context(NAME), ingest.port) as front:
        small.settings["egress"] = EgressRules(
            networks=INSIDE,
            ports=frozenset({front.port}),
            ca_file=authority.ca_file,
            lookup=lambda host: ["127.0.0.1"],
        )
        ingest.sender()
        add(small, Ingest(mode=IngestMode.PULL, url=f"rtmps://{NAME}:{front.port}/live/{GOOD}"))
        small.pipeline()
        wait_for_first_segment(small)
        assert small.wait_for(RuntimeState.LIVE).source == "primary"
        assert small.programs("", KEY) == [process.pid for process in ingest.started]
        opened = front.connections
        for _ in range(BREAKS_PER_OPENING):
            small.signal_encoder(signal.SIGKILL)
            wait_for_another_run(small, small.runs()[-1])
        assert front.connections > opened
        small.wait_for(RuntimeState.LIVE)
