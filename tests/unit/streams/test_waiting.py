"""The reason why a live stream has no worker. The controller sets it on a change and at every tick."""

from dataclasses import replace

import pytest

from chalicelib.domain.operations.workers import PRESENT_MS, Worker, is_present, why_waiting
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.issues.ingest_issues import CloseReason, IngestIssue, IssueType
from chalicelib.domain.streams.runtime import Runtime, RuntimeState, Waiting
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.stores import memory_services

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


@pytest.fixture
def services():
    services = memory_services()
    services.stores.streams.add(LIVE)
    return services


def there(services, *stream_ids):
    seen_at_ms = services.stores.clock.now_ms()
    services.stores.workers.report(replace(FULL, stream_ids=stream_ids, seen_at_ms=seen_at_ms))


def reason(services, stream_id="stream-1"):
    runtime = services.stores.runtimes.get(stream_id) or Runtime(stream_id=stream_id)
    return runtime.state, runtime.waiting, runtime.last_error


def hints(services):
    return len(services.stores.queue.receive(0))


def silent(*_, **__):
    raise StoreUnavailable("no answer")


def test_the_reason_is_set_on_the_change_and_at_every_tick(services):
    services.controller.changed(LIVE)
    assert reason(services) == NO_WORKER
    there(services, "a", "b")
    services.controller.tick()
    assert reason(services) == (RuntimeState.BACKOFF, Waiting.NO_CAPACITY, "the only worker is full: 2 of 2 streams")
    there(services, "a")
    services.controller.tick()
    claiming = "a worker is about to claim it: 1 of 2 streams are running"
    assert reason(services) == (RuntimeState.BACKOFF, None, claiming) and hints(services) == 3
    services.stores.clock.advance(PRESENT_MS)
    services.controller.tick()
    assert reason(services)[1] is Waiting.NO_WORKER


def test_an_unchanged_reason_is_not_written_again(services, monkeypatch):
    services.controller.changed(LIVE)
    written = []
    monkeypatch.setattr(services.stores.runtimes, "mark_unclaimed", lambda *values: written.append(values))
    for _ in range(2):
        services.controller.tick()
        services.controller.changed(LIVE)
    assert written == []


def test_a_stream_waits_for_nothing_while_a_worker_has_claimed_it(services):
    services.controller.tick()
    now_ms = services.stores.clock.now_ms()
    services.stores.runtimes.claim("stream-1", "w1", now_ms, now_ms + 10_000)
    for act in (services.controller.tick, lambda: services.controller.changed(LIVE)):
        act()
        assert reason(services)[:2] == (RuntimeState.STARTING, None)


def test_a_stream_that_is_stopped_while_it_waits_waits_no_longer(services):
    services.controller.tick()
    services.stores.streams.replace(LIVE, replace(LIVE, desired_state=DesiredState.STOPPED))
    services.controller.changed(LIVE)
    assert reason(services)[:2] == (RuntimeState.STOPPED, None)


def test_a_silent_registry_hinders_no_change(services, monkeypatch):
    monkeypatch.setattr(services.stores.workers, "list", silent)
    services.controller.changed(LIVE)
    assert hints(services) == 1


def test_a_queue_that_is_silent_keeps_no_stream_waiting_and_the_workers_are_asked_once(services, monkeypatch):
    services.stores.streams.add(replace(LIVE, stream_id="stream-2"))
    monkeypatch.setattr(services.stores.queue, "send", silent)
    services.controller.changed(LIVE)
    assert reason(services) == NO_WORKER
    asked, listed = [], services.stores.workers.list
    monkeypatch.setattr(services.stores.workers, "list", lambda **page: asked.append(1) or listed(**page))
    assert (services.controller.tick(), asked) == (2, [1])
    assert [reason(services, each)[1] for each in ("stream-1", "stream-2")] == [Waiting.NO_WORKER] * 2


def open_types(services):
    return {issue.type: issue.actual for issue in services.ingest_issues.open_issues("stream-1")}


def closed(services):
    found = services.stores.ingest_issues.closed_issues("stream-1", before_id=None, limit=10)
    return {issue.type: issue.close_reason for issue in found}


def test_a_stream_that_waits_has_an_issue_that_says_for_what(services):
    services.controller.changed(LIVE)
    assert open_types(services) == {IssueType.NO_WORKER: "no worker is running"}
    there(services, "a", "b")
    services.controller.tick()
    assert open_types(services) == {IssueType.NO_CAPACITY: "the only worker is full: 2 of 2 streams"}
    assert closed(services) == {IssueType.NO_WORKER: CloseReason.CLEARED}
    there(services, "a")
    services.controller.tick()
    assert open_types(services) == {}
    assert closed(services)[IssueType.NO_CAPACITY] is CloseReason.CLEARED


def test_what_a_lost_worker_has_found_is_unknown_and_all_ends_with_the_stream(services):
    drift = IngestIssue(stream_id="stream-1", type=IssueType.AUDIO_DRIFT, since_ms=1, actual="a", expected="e")
    services.stores.ingest_issues.put(drift)
    there(services, "a")
    services.controller.tick()
    assert set(open_types(services)) == {IssueType.AUDIO_DRIFT}, "the next worker is about to claim it"
    services.stores.clock.advance(PRESENT_MS)
    services.controller.tick()
    assert set(open_types(services)) == {IssueType.NO_WORKER}
    services.stores.streams.replace(LIVE, replace(LIVE, desired_state=DesiredState.PAUSED))
    services.controller.tick()
    assert open_types(services) == {}
    assert closed(services) == {
        IssueType.AUDIO_DRIFT: CloseReason.UNKNOWN,
        IssueType.NO_WORKER: CloseReason.STOPPED,
    }


def test_an_issue_that_could_not_be_stored_is_stored_at_the_next_tick(services, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(services.stores.ingest_issues, "put", silent)
        services.controller.changed(LIVE)
        assert open_types(services) == {}
    services.controller.tick()
    assert set(open_types(services)) == {IssueType.NO_WORKER}
