import pytest

from chalicelib.domain.streams.runtime import RuntimeState
from worker.ingest.backoff import DELAY_S_MAX, Backoff
from worker.supervision.state_machine import STABLE_S, StreamStateMachine


def test_the_first_retry_is_quick_and_patience_grows() -> None:
    backoff = Backoff(chance=lambda: 0.5)
    delays = [backoff.next_delay_s() for _ in range(9)]
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, DELAY_S_MAX]
    backoff.reset()
    assert backoff.next_delay_s() == 0.2
    # Jitter is bounded.
    for chance, delay_s in ((0.0, 0.16), (1.0, 0.24)):
        assert Backoff(chance=lambda chance=chance: chance).next_delay_s() == pytest.approx(delay_s)


def started(now_s: float = 0, published_at_s: float | None = 3, segment_seconds: int = 2) -> StreamStateMachine:
    it = StreamStateMachine(segment_seconds)
    assert it.state is RuntimeState.STARTING
    it.start_run(now_s)
    assert it.state is RuntimeState.STARTING
    if published_at_s is not None:
        it.record_published(published_at_s, published_at_s, None)
        assert (it.state, it.restarts, it.last_error) == (RuntimeState.LIVE, 0, None)
    return it


def test_a_dead_encoder_is_reported_until_the_next_was_stable() -> None:
    it = started()
    it.end_run("killed")
    assert (it.state, it.restarts, it.last_error) == (RuntimeState.BACKOFF, 1, "killed")
    it.start_run(10.5, "killed")
    assert it.state is RuntimeState.STARTING and it.last_error == "killed"
    it.record_published(14, 14, None)
    assert it.state is RuntimeState.LIVE and not it.is_stable
    it.record_published(14 + STABLE_S, 14 + STABLE_S, None)
    assert it.is_stable
    # New settings restart.
    it.end_run("killed")
    it.change_settings(4)
    assert (it.state, it.segment_seconds, it.last_error) == (RuntimeState.STARTING, 4, None)


SILENCES = [
    (105, 105, None, None),
    (112.1, 100, None, "no segment within 12 s of the start"),
    (110, 110, 104, None),
    (110.1, 110, 104, "no new segment for 6 s"),
    (110.1, 104, 110, "no progress for 6 s"),
    # A start that gets on is slow, and not stuck.
    (135.9, 130, None, None),
    (130.1, 124, None, "no segment within 12 s of the start"),
    (136.1, 136, None, "no segment within 36 s of the start"),
]


def test_silence_is_three_targets_without_a_segment_or_progress() -> None:
    for *given, reason in SILENCES:
        assert started(100, None).restart_reason(*given) == reason
    # Long segments get a longer start.
    it = started(0, None, segment_seconds=10)
    assert it.restart_reason(39.9, 0, None) is None
    assert it.restart_reason(40.1, 0, None) == "no segment within 40 s of the start"


def test_a_store_that_takes_nothing_stalls_the_stream_without_a_restart() -> None:
    it = started()
    it.record_published(9, 3, None)
    assert it.state is RuntimeState.LIVE
    it.record_published(9.1, 3, "the store is silent")
    assert it.state is RuntimeState.STALLED
    assert it.last_error == "nothing could be published for 6 s: the store is silent"
    it.record_published(12, 11.9, None)
    assert (it.state, it.restarts) == (RuntimeState.LIVE, 0)


def test_nothing_to_start_is_reported_with_its_reason_and_the_slate_costs_nothing() -> None:
    for state in (RuntimeState.FAILED, RuntimeState.BACKOFF, RuntimeState.STARTING):
        it = StreamStateMachine(2)
        it.wait(state, "there is no file")
        assert (it.state, it.last_error, it.restarts) == (state, "there is no file", 0)
    # Who waits for what was live before is stalled.
    it = started()
    it.wait(RuntimeState.STARTING, "waiting for the sender")
    assert it.state is RuntimeState.STALLED
    # The slate costs nothing.
    it = StreamStateMachine(2)
    it.start_run(0, "there is no file", is_slate=True)
    it.record_published(3, 3, None)
    assert (it.state, it.last_error) == (RuntimeState.STALLED, "there is no file")
    it.switch_run(5)
    assert (it.state, it.last_error) == (RuntimeState.STARTING, None)
    it.record_published(8, 8, None)
    assert it.state is RuntimeState.LIVE


def test_going_over_to_a_better_source_is_no_outage_and_one_that_does_not_come_is_not_paid_for() -> None:
    it = started()
    it.switch_run(10)
    assert it.state is RuntimeState.LIVE and it.restarts == 0
    assert it.restart_reason(22.1, 10, None) == "no segment within 12 s of the start"
    it = started(published_at_s=9.5)
    it.switch_run(10)
    it.check_awaited(19.5, 9.5)
    assert it.state is RuntimeState.LIVE
    it.check_awaited(19.6, 9.5)
    assert (it.state, it.last_error) == (RuntimeState.STALLED, "nothing could be published for 10 s")
    it.record_published(21, 21, None)
    assert it.state is RuntimeState.LIVE
