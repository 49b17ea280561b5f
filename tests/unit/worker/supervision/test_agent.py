import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.domain.operations.workers import Worker
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.operations.workers import MemoryWorkers
from tests.fakes.simple import SetClock
from tests.fakes.streams.ingest_issues import MemoryIngestIssues
from tests.fakes.streams.media import MemoryMedia
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.fakes.streams.streams import MemoryStreams
from tests.fakes.streams.work_queue import MemoryWorkQueue
from tests.unit.worker.parts import CONFIG, eventually
from worker.claims import HeldClaim
from worker.supervision import agent as agent_module
from worker.supervision import presence as presence_module
from worker.supervision.agent import Agent
from worker.supervision.pipeline import EndReason, Ports

LIVE = Stream(stream_id="stream-1", title="t", ingest=Ingest(mode=IngestMode.TEST), desired_state=DesiredState.LIVE)


class IdlePipeline(threading.Thread):
    """A pipeline that only holds its claim until it is stopped."""

    made: list["IdlePipeline"]

    def __init__(self, ports, config, stream: Stream, held_claim: HeldClaim, restarts: int, ended) -> None:
        super().__init__(daemon=True)
        self.stream, self.held_claim, self.end, self.pokes = stream, held_claim, None, 0
        self._over, self._ended = threading.Event(), ended
        self.made.append(self)

    def wake(self) -> None:
        self.pokes += 1

    def hand_over(self, by_s: float) -> None:
        self.let_go(EndReason.HANDOVER)

    def let_go(self, end: EndReason) -> None:
        self.end = end
        self.held_claim.release()
        self._over.set()

    def run(self) -> None:
        self._over.wait()
        self._ended()


class Harness:
    """An agent in a thread, over stores in memory."""

    def __init__(self, tmp_path: Path) -> None:
        self.streams, self.runtimes, self.queue = MemoryStreams(), MemoryRuntimes(), MemoryWorkQueue()
        self.workers, self.clock = MemoryWorkers(), SetClock()
        self.config = replace(CONFIG, capacity=2, media_dir=tmp_path, work_dir=tmp_path)
        ports = Ports(self.streams, self.runtimes, MemoryMedia(), MemoryIngestIssues(), self.clock)
        self.agent = Agent(ports, self.queue, self.workers, self.config)
        self.clean: bool | None = None
        self._thread = threading.Thread(target=self._run)
        self.start = self._thread.start

    def _run(self) -> None:
        self.clean = self.agent.run()

    def stop(self) -> None:
        self.agent.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def presence(self) -> list[Worker]:
        return list(self.workers.list(limit=10, cursor=None).items)

    def running(self) -> list[str]:
        return sorted(pipeline.stream.stream_id for pipeline in IdlePipeline.made if pipeline.is_alive())

    def runs_the_stream(self) -> bool:
        return eventually(lambda: self.running() == ["stream-1"])

    def hints(self) -> list[str]:
        return [hint.stream_id for _ in range(2) for hint in self.queue.receive(0)]


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    IdlePipeline.made = []
    monkeypatch.setattr(agent_module, "Pipeline", IdlePipeline)
    for name, value in (("POLL_WAIT_S", 0.1), ("SCAN_INTERVAL_S", 0.1), ("TICK_S", 0.05)):
        monkeypatch.setattr(agent_module, name, value)
    it = Harness(tmp_path)
    yield it
    if it.clean is None:
        it.stop()


def test_it_finds_live_streams_without_any_message_and_offers_them_to_others_at_a_drain(harness: Harness) -> None:
    harness.streams.add(LIVE)
    harness.streams.add(replace(LIVE, stream_id="stream-2", desired_state=DesiredState.PAUSED))
    harness.streams.add(replace(LIVE, stream_id="stream-3", archived=True))
    harness.start()
    assert harness.runs_the_stream()
    # It takes no more than its capacity.
    for number in range(4, 7):
        harness.streams.add(replace(LIVE, stream_id=f"stream-{number}"))
    assert eventually(lambda: len(harness.running()) == 2)
    time.sleep(0.5)
    assert len(IdlePipeline.made) == 2
    # A place that becomes free is filled.
    IdlePipeline.made[1].let_go(EndReason.STOPPED)
    assert eventually(lambda: len(IdlePipeline.made) == 3)
    harness.stop()
    assert harness.clean is True and not harness.config.heartbeat_file.exists()
    runtime = harness.runtimes.get("stream-1")
    assert runtime and runtime.claim is None and "stream-1" in harness.hints()


def test_a_hint_is_followed_and_a_doubled_one_changes_nothing(harness: Harness, monkeypatch) -> None:
    monkeypatch.setattr(agent_module, "SCAN_INTERVAL_S", 600)
    harness.start()
    assert eventually(harness.config.heartbeat_file.exists)
    time.sleep(0.3)
    harness.streams.add(LIVE)
    for hint in ("stream-1", "stream-1", "stream-1", "stream-9"):
        harness.queue.send(hint)
    assert harness.runs_the_stream()
    assert eventually(lambda: IdlePipeline.made[0].pokes == 2)
    assert len(IdlePipeline.made) == 1 and harness.queue.undone == {}


@pytest.mark.parametrize("owner", ["w1", "w2"])
def test_a_stream_is_taken_when_anothers_claim_runs_out_or_its_own_is_from_before_a_restart(harness, owner) -> None:
    harness.streams.add(LIVE)
    now_ms = harness.clock.now_ms()
    harness.runtimes.claim("stream-1", owner, now_ms, now_ms + 3_000)
    harness.start()
    if owner != "w1":
        time.sleep(0.5)
        assert harness.running() == []
        harness.clock.advance(3_000)
    assert harness.runs_the_stream()
    assert IdlePipeline.made[0].held_claim.claim.epoch == 2


def test_it_says_that_it_is_there_and_what_it_runs_until_it_drains(harness: Harness, monkeypatch) -> None:
    harness.start()
    idle = Worker(worker_id="w1", capacity=2, stream_ids=(), seen_at_ms=harness.clock.now_ms())
    assert eventually(lambda: harness.presence() == [idle])
    # Well before the interval is over. What is due next comes quicker.
    monkeypatch.setattr(presence_module, "INTERVAL_S", 0.1)
    harness.streams.add(LIVE)
    assert eventually(lambda: harness.presence() == [replace(idle, stream_ids=("stream-1",))], 3)
    harness.clock.advance(1_000)
    assert eventually(lambda: harness.presence()[0].seen_at_ms == harness.clock.now_ms())
    harness.stop()
    assert harness.presence() == []


@pytest.mark.parametrize("hangs", [False, True])
def test_a_registry_that_is_silent_or_hangs_hurts_no_stream_and_no_drain(harness, monkeypatch, hangs) -> None:
    over = threading.Event()

    def silent(*_: object) -> None:
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(harness.workers, "report", silent)
    monkeypatch.setattr(harness.workers, "leave", (lambda worker_id: over.wait(20)) if hangs else silent)
    monkeypatch.setattr(agent_module, "DRAIN_S", 0.5)
    harness.streams.add(LIVE)
    harness.start()
    assert harness.runs_the_stream()
    began_s = time.monotonic()
    harness.stop()
    assert time.monotonic() - began_s < 5 and harness.clean is True
    assert harness.hints() == ["stream-1"]
    over.set()
