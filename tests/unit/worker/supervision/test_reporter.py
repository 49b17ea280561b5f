from chalicelib.domain.streams.runtime import RuntimeState
from tests.fakes.simple import SetClock
from tests.fakes.streams.media import MemoryMedia
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.unit.worker.parts import CONFIG, hold
from worker.supervision.driver import Driver
from worker.supervision.reporter import Reporter
from worker.supervision.run_logs import RunLogs
from worker.supervision.state_machine import StreamStateMachine


def test_an_outage_by_new_settings_begins_with_the_last_playlist_of_the_old_ones() -> None:
    runtimes, clock = MemoryRuntimes(), SetClock()
    held_claim = hold(clock, runtimes=runtimes)
    state_machine = StreamStateMachine(2)
    driver = Driver(CONFIG, state_machine, 1, RunLogs(MemoryMedia(), clock, held_claim, lambda: ()))
    reporter = Reporter(runtimes, clock, held_claim)
    state_machine.start_run(0)
    state_machine.record_published(3, 3, None)
    last_ms = held_claim.last_manifest_at_ms = clock.now_ms()
    reporter.report_if_due(3, state_machine, 1, driver, None)
    # Nothing is published by the new ones yet, and to end the old ones took a while.
    clock.advance(3_000)
    state_machine.change_settings(4)
    reporter.report_if_due(6, state_machine, 2, driver, None)
    stored = runtimes.get("stream-1")
    assert stored and stored.state is RuntimeState.STARTING
    assert (stored.down_since_ms, stored.last_manifest_at_ms) == (last_ms, last_ms)
