from worker.ingest import failover
from worker.ingest.backoff import FIRST_DELAY_S, Backoff
from worker.ingest.failover import ANSWER_INTERVAL_S, PATIENCE_S, SLATE_AFTER_S, Failover, Failure


class Sources(Failover):
    """Sources that are opened and closed as `SourcePool` does, with a backoff without jitter."""

    def __init__(self, count: int) -> None:
        super().__init__(count, lambda: Backoff(chance=lambda: 0.5))

    def open(self, now_s: float) -> list[int]:
        for index in (sources_to_open := self.sources_to_open(now_s)):
            self.record_opened(index, now_s)
        return sources_to_open

    def play(self, index: int, now_s: float) -> None:
        self.record_answer(index, now_s)
        self.record_playing(index, now_s)

    def fail(self, index: int, now_s: float, reason: str = "gone", failure: Failure = Failure.BROKEN) -> None:
        self.record_failure(index, now_s, reason, failure)
        self.record_closed(index)


def on_backup() -> Sources:
    """Fail the primary at 10 and play backup 1 from then on."""
    it = Sources(3)
    it.open(0)
    it.play(0, 1)
    it.fail(0, 10)
    assert it.open(10) == [1]
    it.play(1, 10)
    return it


def test_one_source_is_opened_and_played_and_tried_again_with_growing_patience() -> None:
    it = Sources(1)
    assert it.open(0) == [0] and it.pick(0) is None
    it.record_answer(0, 1)
    assert it.pick(1) == 0
    it.record_playing(0, 1)
    assert it.sources_to_open(1) == [0] and it.pick_better(1) is None and not it.is_exhausted(100)
    it.fail(0, 10)
    assert it.sources_to_open(10.1) == [] and it.sources_to_open(10.2) == [0]
    it.fail(0, 20)
    assert it.sources_to_open(20.3) == [] and it.sources_to_open(20.4) == [0]
    it.record_stable(0)
    it.record_failure(0, 300, "gone")
    assert it.sources_to_open(300.2) == [0]
    # A live one whose encoder died is played again when the wait is over.
    it = Sources(1)
    it.open(0)
    it.play(0, 1)
    it.record_failure(0, 10, "killed")
    it.record_answer(0, 10.1)
    assert it.sources_to_open(10.1) == [0] and it.pick(10.1) is None and it.pick(10.2) == 0


def test_the_next_is_tried_at_once_when_one_fails_and_soon_when_one_only_waits() -> None:
    it = Sources(3)
    assert it.open(0) == [0]
    it.fail(0, 1, "no such host", Failure.REFUSED)
    assert it.open(1) == [1]
    it.fail(1, 2, "refused")
    assert it.open(2) == [2]
    it.record_answer(2, 3)
    assert it.pick(3) == 2
    # One that lets itself be waited for is not waited for long.
    it = Sources(2)
    assert [it.open(at_s) for at_s in (0, PATIENCE_S - 0.1, PATIENCE_S)] == [[0], [0], [0, 1]]
    it.record_answer(1, PATIENCE_S + 1)
    it.record_answer(0, PATIENCE_S + 1)
    assert it.pick(PATIENCE_S + 1) == 0, "the preferred one, if both are there"
    # A backup that is being opened is not given up for the next try of the primary.
    it = Sources(2)
    it.open(0)
    it.fail(0, 0.2, "refused")
    assert it.open(0.2) == [1]
    assert it.open(1) == it.sources_to_open(1.1) == [0, 1]


def test_a_missing_sender_is_no_failure_and_a_failure_is_over_when_the_source_plays() -> None:
    it = Sources(1)
    for now_s in range(100):
        it.open(now_s)
        it.record_waiting(0, now_s, "waiting for the sender")
        it.fail(0, now_s, "waiting for the sender", Failure.WAITING)
        assert it.sources_to_open(now_s + failover.WAIT_DELAY_S) == [0]
    assert it.troubles() == [(0, Failure.WAITING, "waiting for the sender")]
    it.open(100)
    it.record_answer(0, 100)
    assert it.troubles() == []
    # A failure to open is over when the source plays.
    it = Sources(2)
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


def test_a_preferred_one_is_played_again_when_it_has_answered_twice_in_a_row() -> None:
    it = on_backup()
    again_s = 10 + FIRST_DELAY_S * failover.WATCH_FACTOR
    assert it.sources_to_open(again_s - 0.1) == [1]
    assert it.open(again_s) == [0, 1]
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
    # One that breaks after each return is returned to more and more rarely.
    it = on_backup()
    for wait_s in (10, 20, 40, 80):
        now_s = next(second for second in range(10_000) if it.sources_to_open(second) == [0, 1])
        it.open(now_s)
        it.record_answer(0, now_s)
        it.play(0, now_s + ANSWER_INTERVAL_S)
        failed_at_s = now_s + ANSWER_INTERVAL_S + 1
        it.fail(0, failed_at_s)
        it.record_opened(1, failed_at_s)
        it.play(1, failed_at_s)
        assert it._states[0].return_at_s - failed_at_s == wait_s
    # Nothing better than the second is not the third.
    it = on_backup()
    it.fail(1, 11, "gone too")
    # The wait of the first is over, the second's is not.
    assert it.open(11) == [0, 2]
    it.play(2, 11)
    it.record_opened(1, 17)
    it.record_answer(1, 17)
    it.record_answer(1, 17 + ANSWER_INTERVAL_S)
    assert it.pick_better(30) == 1


def test_the_slate_is_for_when_nothing_works_or_comes() -> None:
    it = Sources(2)
    it.open(0)
    assert not it.is_exhausted(SLATE_AFTER_S)
    it.fail(0, 1, "refused", Failure.REFUSED)
    it.open(1)
    assert not it.is_exhausted(2.5), "the second one may open yet"
    it.open(1 + PATIENCE_S)
    assert it.is_exhausted(1 + PATIENCE_S)
    it.record_playing(None, 4)
    assert it.sources_to_open(1 + failover.REFUSED_DELAY_S) == [0, 1], "both are tried while the slate is shown"
    it.record_answer(1, 8)
    assert it.pick(8) == 1
    # It is not shown for what comes back at once.
    it = Sources(1)
    it.open(0)
    it.play(0, 1)
    it.record_failure(0, 10, "killed")
    assert not it.is_exhausted(10 + SLATE_AFTER_S - 0.1)
    it.record_closed(0)
    it.open(10.5)
    it.record_failure(0, 11, "killed")
    assert it.is_exhausted(10 + SLATE_AFTER_S)
