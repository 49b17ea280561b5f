"""The choice of the source at given times."""

from worker.ingest.backoff import FIRST_DELAY_S, Backoff
from worker.ingest.failover import (
    ANSWER_INTERVAL_S,
    PATIENCE_S,
    REFUSED_DELAY_S,
    SLATE_AFTER_S,
    WAIT_DELAY_S,
    WATCH_FACTOR,
    Failover,
    Failure,
)


def failover(count: int) -> Failover:
    return Failover(count, lambda: Backoff(chance=lambda: 0.5))


def record_opened(it: Failover, now_s: float) -> list[int]:
    """Open the sources to open, as `SourcePool` does."""
    sources_to_open = it.sources_to_open(now_s)
    for index in sources_to_open:
        it.record_opened(index, now_s)
    return sources_to_open


def on_backup() -> Failover:
    """Fail the primary at 10 and play backup 1 from then on."""
    it = failover(3)
    record_opened(it, 0)
    it.record_answer(0, 1)
    it.record_playing(0, 1)
    it.record_failure(0, 10, "gone")
    it.record_closed(0)
    assert record_opened(it, 10) == [1]
    it.record_answer(1, 10)
    it.record_playing(1, 10)
    return it


def test_one_source_is_opened_and_played() -> None:
    it = failover(1)
    assert record_opened(it, 0) == [0] and it.pick(0) is None
    it.record_answer(0, 1)
    assert it.pick(1) == 0
    it.record_playing(0, 1)
    assert it.sources_to_open(1) == [0] and it.pick_better(1) is None and not it.is_exhausted(100)


def test_a_dead_one_is_tried_again_with_growing_patience() -> None:
    it = failover(1)
    record_opened(it, 0)
    it.record_failure(0, 10, "gone")
    it.record_closed(0)
    assert it.sources_to_open(10.1) == [] and it.sources_to_open(10.2) == [0]
    it.record_failure(0, 20, "gone")
    it.record_closed(0)
    assert it.sources_to_open(20.3) == [] and it.sources_to_open(20.4) == [0]
    it.record_stable(0)
    it.record_failure(0, 300, "gone")
    assert it.sources_to_open(300.2) == [0]


def test_a_live_one_whose_ffmpeg_died_is_played_again_when_the_wait_is_over() -> None:
    it = failover(1)
    record_opened(it, 0)
    it.record_answer(0, 1)
    it.record_playing(0, 1)
    it.record_failure(0, 10, "killed")
    it.record_answer(0, 10.1)
    assert it.sources_to_open(10.1) == [0] and it.pick(10.1) is None and it.pick(10.2) == 0


def test_a_failure_to_open_is_over_when_the_source_plays() -> None:
    it = failover(2)
    it.record_failure(0, 100, "there is no file 'later.mp4'", Failure.REFUSED)
    it.record_failure(1, 100, "it ended")
    assert [index for index, _, _ in it.troubles()] == [0, 1]
    it.record_playing(0, 110)
    assert it.troubles() == [(1, Failure.BROKEN, "it ended")]
    # Why it broke off stays to be seen until it has played well.
    it.record_failure(0, 120, "it was killed")
    it.record_playing(0, 121)
    assert (0, Failure.BROKEN, "it was killed") in it.troubles()
    it.record_stable(0)
    assert it.troubles() == [(1, Failure.BROKEN, "it ended")]


def test_the_next_is_tried_at_once_when_one_fails() -> None:
    it = failover(3)
    assert record_opened(it, 0) == [0]
    it.record_failure(0, 1, "no such host", Failure.REFUSED)
    it.record_closed(0)
    assert record_opened(it, 1) == [1]
    it.record_failure(1, 2, "refused")
    it.record_closed(1)
    assert record_opened(it, 2) == [2]
    it.record_answer(2, 3)
    assert it.pick(3) == 2


def test_one_that_lets_itself_be_waited_for_is_not_waited_for_long() -> None:
    it = failover(2)
    assert record_opened(it, 0) == [0]
    assert record_opened(it, PATIENCE_S - 0.1) == [0]
    assert record_opened(it, PATIENCE_S) == [0, 1]
    it.record_answer(1, PATIENCE_S + 1)
    it.record_answer(0, PATIENCE_S + 1)
    assert it.pick(PATIENCE_S + 1) == 0, "the preferred one, if both are there"


def test_a_backup_that_is_being_opened_is_not_given_up_for_the_next_try_of_the_primary() -> None:
    it = failover(2)
    record_opened(it, 0)
    it.record_failure(0, 0.2, "refused")
    it.record_closed(0)
    assert record_opened(it, 0.2) == [1]
    assert record_opened(it, 1) == [0, 1]
    assert it.sources_to_open(1.1) == [0, 1]


def test_a_missing_sender_is_no_failure() -> None:
    it = failover(1)
    for now_s in range(100):
        record_opened(it, now_s)
        it.record_waiting(0, now_s, "waiting for the sender")
        it.record_failure(0, now_s, "waiting for the sender", Failure.WAITING)
        it.record_closed(0)
        assert it.sources_to_open(now_s + WAIT_DELAY_S) == [0]
    assert it.troubles() == [(0, Failure.WAITING, "waiting for the sender")]
    record_opened(it, 100)
    it.record_answer(0, 100)
    assert it.troubles() == []


def test_a_preferred_one_is_played_again_when_it_has_answered_twice_in_a_row() -> None:
    it = on_backup()
    again_s = 10 + FIRST_DELAY_S * WATCH_FACTOR
    assert it.sources_to_open(again_s - 0.1) == [1]
    assert record_opened(it, again_s) == [0, 1]
    it.record_answer(0, 20)
    assert it.pick_better(20) is None
    it.record_waiting(0, 21, "silent")
    it.record_answer(0, 22)
    it.record_answer(0, 22 + ANSWER_INTERVAL_S - 0.1)
    assert it.pick_better(22 + ANSWER_INTERVAL_S - 0.1) is None, "not twice, or not in a row"
    it.record_answer(0, 22 + ANSWER_INTERVAL_S)
    assert it.pick_better(22 + ANSWER_INTERVAL_S) == 0
    it.record_playing(0, 30)
    assert it.sources_to_open(30) == [0]


def test_one_that_breaks_after_each_return_is_returned_to_more_and_more_rarely() -> None:
    it = on_backup()
    waits = []
    for _ in range(4):
        now_s = next(second for second in range(10_000) if it.sources_to_open(second) == [0, 1])
        record_opened(it, now_s)
        it.record_answer(0, now_s)
        it.record_answer(0, now_s + ANSWER_INTERVAL_S)
        it.record_playing(0, now_s + ANSWER_INTERVAL_S)
        failed_at_s = now_s + ANSWER_INTERVAL_S + 1
        it.record_failure(0, failed_at_s, "gone")
        it.record_closed(0)
        it.record_opened(1, failed_at_s)
        it.record_answer(1, failed_at_s)
        it.record_playing(1, failed_at_s)
        waits.append(it._states[0].return_at_s - failed_at_s)
    assert waits == [10, 20, 40, 80]


def test_nothing_better_than_the_second_is_not_the_third() -> None:
    it = on_backup()
    it.record_failure(1, 11, "gone too")
    it.record_closed(1)
    # The wait of the first is over, the second's is not.
    assert record_opened(it, 11) == [0, 2]
    it.record_answer(2, 11)
    it.record_playing(2, 11)
    it.record_opened(1, 17)
    it.record_answer(1, 17)
    it.record_answer(1, 17 + ANSWER_INTERVAL_S)
    assert it.pick_better(30) == 1


def test_the_slate_is_for_when_nothing_works_or_comes() -> None:
    it = failover(2)
    record_opened(it, 0)
    assert not it.is_exhausted(SLATE_AFTER_S)
    it.record_failure(0, 1, "refused", Failure.REFUSED)
    it.record_closed(0)
    record_opened(it, 1)
    assert not it.is_exhausted(2.5), "the second one may open yet"
    record_opened(it, 1 + PATIENCE_S)
    assert it.is_exhausted(1 + PATIENCE_S)
    it.record_playing(None, 4)
    assert it.sources_to_open(1 + REFUSED_DELAY_S) == [0, 1], "both are tried while the slate is shown"
    it.record_answer(1, 8)
    assert it.pick(8) == 1


def test_the_slate_is_not_shown_for_what_comes_back_at_once() -> None:
    it = failover(1)
    record_opened(it, 0)
    it.record_answer(0, 1)
    it.record_playing(0, 1)
    it.record_failure(0, 10, "killed")
    assert not it.is_exhausted(10 + SLATE_AFTER_S - 0.1)
    it.record_closed(0)
    record_opened(it, 10.5)
    it.record_failure(0, 11, "killed")
    assert it.is_exhausted(10 + SLATE_AFTER_S - 0.1 + 0.1)
