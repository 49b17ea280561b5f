"""The reason why a live stream has no worker. The controller sets it on a change and at every tick."""

from dataclasses import replace

import pytest

from chalicelib.domain.operations.workers import PRESENT_MS, Worker, is_present, why_waiting
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import Runtime, RuntimeState, Waiting
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.operations.workers import WorkersService
from chalicelib.services.streams.controller import Controller
from tests.fakes.money.sessions import MemoryPlaybackSessions
from tests.fakes.money.wallets import MemoryStore
from tests.fakes.operations.workers import MemoryWorkers
from tests.fakes.simple import RecordingDenylist, SetClock
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.fakes.streams.streams import MemoryStreams
from tests.fakes.streams.work_queue import MemoryWorkQueue

LIVE = Stream(stream_id="stream-1", title="t", ingest=Ingest(mode=IngestMode.TEST), desired_state=DesiredState.LIVE)
NO_WORKER = (RuntimeState.BACKOFF, Waiting.NO_WORKER, "no worker is running")
FULL = Worker(worker_id="w1", capacity=2, stream_ids=("a", "b"), seen_at_ms=0)


def test_the_reason_follows_from_who_is_there():
    fulls = [FULL, replace(FULL, capacity=1)]
    assert why_waiting([]) == NO_WORKER[1:]
    assert why_waiting([FULL]) == (Waiting.NO_CAPACITY, "the only worker is full: 2 of 2 streams")
    assert why_waiting(fulls) == (Waiting.NO_CAPACITY, "all 2 workers are full: 4 of 3 streams")
    claiming = "a worker is about to claim it: 4 of 8 streams are running"
    assert why_waiting([FULL, replace(FULL, capacity=6)]) == (None, claiming)
    assert (is_present(FULL, PRESENT_MS - 1), is_present(FULL, PRESENT_MS)) == (True, False)


class Services:
    """A controller over stores in memory, with one stream that is wanted live."""

    def __init__(self):
        self.streams, self.runtimes, self.queue = MemoryStreams(), MemoryRuntimes(), MemoryWorkQueue()
        self.workers, self.clock = MemoryWorkers(), SetClock()
        self.controller = Controller(
            streams=self.streams,
            runtimes=self.runtimes,
            sessions=MemoryPlaybackSessions(MemoryStore()),
            queue=self.queue,
            billing=None,
            workers=WorkersService(self.workers, self.clock),
            denylist=RecordingDenylist(),
            clock=self.clock,
        )
        self.streams.add(LIVE)

    def there(self, *stream_ids):
        worker = Worker(worker_id="w1", capacity=2, stream_ids=stream_ids, seen_at_ms=self.clock.now_ms())
        self.workers.report(worker)

    def reason(self, stream_id="stream-1"):
        runtime = self.runtimes.get(stream_id) or Runtime(stream_id=stream_id)
        return runtime.state, runtime.waiting, runtime.last_error

    def hints(self):
        received = self.queue.receive(0)
        for hint in received:
            self.queue.done(hint)
        return len(received)


services = pytest.fixture(lambda: Services())


def silent(*_, **__):
    raise StoreUnavailable("no answer")


def test_the_reason_is_set_on_the_change_and_at_every_tick(services):
    services.controller.changed(LIVE)
    assert services.reason() == NO_WORKER
    services.there("a", "b")
    services.controller.tick()
    assert services.reason() == (RuntimeState.BACKOFF, Waiting.NO_CAPACITY, "the only worker is full: 2 of 2 streams")
    services.there("a")
    services.controller.tick()
    claiming = "a worker is about to claim it: 1 of 2 streams are running"
    assert services.reason() == (RuntimeState.BACKOFF, None, claiming) and services.hints() == 3
    services.clock.advance(PRESENT_MS)
    services.controller.tick()
    assert services.reason()[1] is Waiting.NO_WORKER


def test_an_unchanged_reason_is_not_written_again(services, monkeypatch):
    services.controller.changed(LIVE)
    written = []
    monkeypatch.setattr(services.runtimes, "mark_unclaimed", lambda *values: written.append(values))
    for _ in range(2):
        services.controller.tick()
        services.controller.changed(LIVE)
    assert written == []


def test_a_stream_waits_for_nothing_while_a_worker_has_claimed_it(services):
    services.controller.tick()
    now_ms = services.clock.now_ms()
    services.runtimes.claim("stream-1", "w1", now_ms, now_ms + 10_000)
    for act in (services.controller.tick, lambda: services.controller.changed(LIVE)):
        act()
        assert services.reason()[:2] == (RuntimeState.STARTING, None)


def test_a_stream_that_is_stopped_while_it_waits_waits_no_longer(services):
    services.controller.tick()
    services.streams.replace(LIVE, replace(LIVE, desired_state=DesiredState.STOPPED))
    services.controller.changed(LIVE)
    assert services.reason()[:2] == (RuntimeState.STOPPED, None)


def test_a_silent_registry_hinders_no_change(services, monkeypatch):
    monkeypatch.setattr(services.workers, "list", silent)
    services.controller.changed(LIVE)
    assert services.hints() == 1


def test_a_queue_that_is_silent_keeps_no_stream_waiting_and_the_workers_are_asked_once(services, monkeypatch):
    services.streams.add(replace(LIVE, stream_id="stream-2"))
    monkeypatch.setattr(services.queue, "send", silent)
    services.controller.changed(LIVE)
    assert services.reason() == NO_WORKER
    asked, listed = [], services.workers.list
    monkeypatch.setattr(services.workers, "list", lambda **page: asked.append(1) or listed(**page))
    assert (services.controller.tick(), asked) == (2, [1])
    assert [services.reason(each)[1] for each in ("stream-1", "stream-2")] == [Waiting.NO_WORKER] * 2
