"""The streams that a worker claims, with pipelines that do nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.domain.operations.workers import Worker
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.operations.workers import MemoryWorkers
from tests.fakes.simple import SetClock
from tests.fakes.streams.media import MemoryMedia
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.fakes.streams.streams import MemoryStreams
from tests.fakes.streams.work_queue import MemoryWorkQueue
from tests.fixtures.settings import worker_config
from worker.claims import HeldClaim
from worker.supervision import agent as agent_module
from worker.supervision import presence as presence_module
from worker.supervision.agent import Agent
from worker.supervision.pipeline import EndReason, Ports

LIVE = Stream(stream_id="stream-1", title="t", ingest=Ingest(mode=IngestMode.TEST), desired_state=DesiredState.LIVE)


class IdlePipeline(threading.Thread):
    """A pipeline that only holds its claim until it is stopped."""

    made: list["IdlePipeline"]

    def __init__(
        self,
        ports: Ports,
        config: object,
        stream: Stream,
        held_claim: HeldClaim,
        restarts: int,
        ended: Callable[[], None],
    ) -> None:
        super().__init__(daemon=True)
        self.stream, self.held_claim, self.end = stream, held_claim, None
        self.pokes = 0
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

    def __init__(self, tmp_path: Path, capacity: int = 2) -> None:
        self.streams, self.runtimes, self.queue = MemoryStreams(), MemoryRuntimes(), MemoryWorkQueue()
        self.workers, self.clock = MemoryWorkers(), SetClock()
        ports = Ports(self.streams, self.runtimes, MemoryMedia(), self.clock)
        config = worker_config(capacity=capacity, media_dir=tmp_path, work_dir=tmp_path)
        self.config = config
        self.agent = Agent(ports, self.queue, self.workers, config)
        self.clean: bool | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.clean = self.agent.run()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.agent.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def presence(self) -> list[Worker]:
        return list(self.workers.list(limit=10, cursor=None).items)

    def running(self) -> list[str]:
        return sorted(pipeline.stream.stream_id for pipeline in IdlePipeline.made if pipeline.is_alive())


def eventually(condition: Callable[[], bool], timeout_s: float = 5) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    IdlePipeline.made = []
    monkeypatch.setattr(agent_module, "Pipeline", IdlePipeline)
    monkeypatch.setattr(agent_module, "POLL_WAIT_S", 0.2)
    monkeypatch.setattr(agent_module, "SCAN_INTERVAL_S", 0.5)
    it = Harness(tmp_path)
    yield it
    if it.clean is None:
        it.stop()


def test_it_finds_live_streams_without_any_message(harness: Harness) -> None:
    harness.streams.add(LIVE)
    harness.streams.add(replace(LIVE, stream_id="stream-2", desired_state=DesiredState.PAUSED))
    harness.streams.add(replace(LIVE, stream_id="stream-3", archived=True))
    harness.start()
    assert eventually(lambda: harness.running() == ["stream-1"])
    harness.stop()
    assert harness.clean is True
    assert not harness.config.heartbeat_file.exists()


def test_it_takes_no_more_than_its_capacity(harness: Harness) -> None:
    for number in range(4):
        harness.streams.add(replace(LIVE, stream_id=f"stream-{number}"))
    harness.start()
    assert eventually(lambda: len(harness.running()) == 2)
    time.sleep(1.2)
    assert len(IdlePipeline.made) == 2
    # A place that becomes free is filled.
    IdlePipeline.made[0].let_go(EndReason.STOPPED)
    assert eventually(lambda: len(IdlePipeline.made) == 3)


def test_a_hint_is_followed_and_a_doubled_one_changes_nothing(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_module, "SCAN_INTERVAL_S", 600)
    harness.start()
    assert eventually(harness.config.heartbeat_file.exists)
    time.sleep(0.3)
    harness.streams.add(LIVE)
    for _ in range(3):
        harness.queue.send("stream-1")
    harness.queue.send("stream-9")
    assert eventually(lambda: harness.running() == ["stream-1"])
    assert eventually(lambda: IdlePipeline.made[0].pokes == 2)
    assert len(IdlePipeline.made) == 1 and harness.queue.undone == {}


def test_another_workers_stream_is_taken_when_its_claim_runs_out(harness: Harness) -> None:
    harness.streams.add(LIVE)
    now_ms = harness.clock.now_ms()
    harness.runtimes.claim("stream-1", "w2", now_ms, now_ms + 3_000)
    harness.start()
    time.sleep(1)
    assert harness.running() == []
    harness.clock.advance(3_000)
    assert eventually(lambda: harness.running() == ["stream-1"])
    assert IdlePipeline.made[0].held_claim.claim.epoch == 2


def test_it_takes_its_own_stream_again_after_a_restart(harness: Harness) -> None:
    harness.streams.add(LIVE)
    now_ms = harness.clock.now_ms()
    harness.runtimes.claim("stream-1", "w1", now_ms, now_ms + 3_000)
    harness.start()
    assert eventually(lambda: harness.running() == ["stream-1"])


def test_a_drain_releases_and_offers_the_streams_to_others(harness: Harness) -> None:
    harness.streams.add(LIVE)
    harness.start()
    assert eventually(lambda: harness.running() == ["stream-1"])
    harness.stop()
    runtime = harness.runtimes.get("stream-1")
    assert runtime and runtime.claim is None
    assert [hint.stream_id for hint in harness.queue.receive(1)] == ["stream-1"]


def test_it_says_that_it_is_there_and_what_it_runs_until_it_drains(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_a_silent_registry_hurts_no_stream(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> None:
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(harness.workers, "report", silent)
    monkeypatch.setattr(harness.workers, "leave", silent)
    harness.streams.add(LIVE)
    harness.start()
    assert eventually(lambda: harness.running() == ["stream-1"])
    harness.stop()
    assert harness.clean is True


def test_a_drain_ends_in_time_though_the_registry_hangs(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(harness.workers, "leave", lambda worker_id: over.wait(20))
    monkeypatch.setattr(agent_module, "DRAIN_S", 0.5)
    harness.streams.add(LIVE)
    harness.start()
    assert eventually(lambda: harness.running() == ["stream-1"])
    began_s = time.monotonic()
    harness.stop()
    assert time.monotonic() - began_s < 5 and harness.clean is True
    assert [hint.stream_id for hint in harness.queue.receive(1)] == ["stream-1"]
    over.set()
