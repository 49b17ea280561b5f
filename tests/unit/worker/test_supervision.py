import pytest

from chalicelib.domain.streams import RuntimeState
from worker.supervision import DELAY_S_MAX, STABLE_S, Backoff, Supervision


def supervision(segment_seconds: int = 2) -> Supervision:
    return Supervision(segment_seconds, Backoff(chance=lambda: 0.5))


def test_the_first_retry_is_quick_and_patience_grows() -> None:
    backoff = Backoff(chance=lambda: 0.5)
    delays = [backoff.next_delay_s() for _ in range(9)]
    assert delays == [0.5, 1, 2, 4, 8, 16, DELAY_S_MAX, DELAY_S_MAX, DELAY_S_MAX]
    backoff.reset()
    assert backoff.next_delay_s() == 0.5


@pytest.mark.parametrize(("chance", "delay_s"), [(0.0, 0.4), (1.0, 0.6)])
def test_jitter_is_bounded(chance: float, delay_s: float) -> None:
    assert Backoff(chance=lambda: chance).next_delay_s() == pytest.approx(delay_s)


def test_a_good_life() -> None:
    it = supervision()
    assert it.state is RuntimeState.STARTING and it.may_start(0)
    it.run_started(0)
    assert it.state is RuntimeState.STARTING
    it.published(3, 3, None)
    assert (it.state, it.restarts, it.last_error) == (RuntimeState.LIVE, 0, None)


def test_a_dead_ffmpeg_is_started_again_after_the_delay() -> None:
    it = supervision()
    it.run_started(0)
    it.published(3, 3, None)
    it.run_ended(10, "killed")
    assert (it.state, it.restarts, it.last_error) == (RuntimeState.BACKOFF, 1, "killed")
    assert not it.may_start(10.4)
    assert it.may_start(10.5)
    it.run_started(10.5)
    assert it.state is RuntimeState.STARTING and it.last_error == "killed"


def test_failures_add_up_until_minutes_were_stable() -> None:
    it = supervision()
    for start in (0, 100):
        it.run_started(start)
        it.published(start + 3, start + 3, None)
        it.run_ended(start + 10, "killed")
    assert not it.may_start(110.9) and it.may_start(111)
    it.run_started(111)
    it.published(114, 114, None)
    it.published(114 + STABLE_S, 114 + STABLE_S, None)
    assert it.last_error is None
    it.run_ended(300, "killed")
    assert it.may_start(300.5) and it.restarts == 3


def test_silence_is_three_targets_without_a_segment_or_progress() -> None:
    it = supervision(2)
    it.run_started(100)
    assert it.silence(105, 105, None) is None
    assert it.silence(112.1, 100, None) == "no segment within 12 s of the start"
    assert it.silence(110, 110, 104) is None
    assert it.silence(110.1, 110, 104) == "no new segment for 6 s"
    assert it.silence(110.1, 104, 110) == "no progress for 6 s"


def test_long_segments_get_a_longer_start() -> None:
    it = supervision(10)
    it.run_started(0)
    assert it.silence(39.9, 0, None) is None
    assert it.silence(40.1, 0, None) == "no segment within 40 s of the start"


def test_a_start_that_gets_on_is_slow_and_not_stuck() -> None:
    it = supervision(2)
    it.run_started(100)
    assert it.silence(135.9, 130, None) is None
    assert it.silence(130.1, 124, None) == "no segment within 12 s of the start"
    assert it.silence(136.1, 136, None) == "no segment within 36 s of the start"


def test_a_store_that_takes_nothing_stalls_the_stream_without_a_restart() -> None:
    it = supervision()
    it.run_started(0)
    it.published(3, 3, None)
    it.published(9, 3, None)
    assert it.state is RuntimeState.LIVE
    it.published(9.1, 3, "the store is silent")
    assert it.state is RuntimeState.STALLED
    assert it.last_error == "nothing could be published for 6 s: the store is silent"
    it.published(12, 11.9, None)
    assert (it.state, it.restarts) == (RuntimeState.LIVE, 0)


def test_a_refused_source_is_failed_and_looked_at_again() -> None:
    it = supervision()
    it.refused(0, "there is no file")
    assert (it.state, it.last_error, it.restarts) == (RuntimeState.FAILED, "there is no file", 0)
    assert not it.may_start(4.9) and it.may_start(5)


def test_new_settings_do_not_wait() -> None:
    it = supervision()
    for _ in range(5):
        it.run_ended(0, "killed")
    it.settings_changed(1, 4)
    assert it.may_start(1) and it.state is RuntimeState.STARTING and it.segment_seconds == 4
    it.run_ended(2, "killed")
    assert it.may_start(2.5)
