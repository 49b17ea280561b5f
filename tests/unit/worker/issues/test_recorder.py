import logging

import pytest

from chalicelib.domain.streams.issues.ingest_issues import CloseReason, Finding, IngestIssue, IssueType
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.simple import SetClock
from tests.fakes.streams.ingest_issues import MemoryIngestIssues
from worker.issues.recorder import REFRESH_S, RETRY_S, IssueRecorder

PAUSED = IssueType.PICTURE_FROZEN
OF_TYPE = {"stream_id": "s", "type": PAUSED, "actual": "a", "expected": "e"}


def bad(actual: str = "a") -> dict[IssueType, Finding | None]:
    return {PAUSED: Finding(actual=actual, expected="e")}


class FailingIssues(MemoryIngestIssues):
    """A table that fails while `is_down`, and counts the writes."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down = False
        self.puts = 0

    def put(self, issue: IngestIssue) -> bool:
        self._check()
        self.puts += 1
        return super().put(issue)

    def close(self, issue: IngestIssue) -> bool:
        self._check()
        return super().close(issue)

    def _check(self) -> None:
        if self.is_down:
            raise StoreUnavailable("no")

    def history(self) -> list[IngestIssue]:
        return list(self.closed_issues("s", before_id=None, limit=100))


@pytest.fixture
def table() -> FailingIssues:
    return FailingIssues()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(1_000)


@pytest.fixture
def recorder(table: FailingIssues, clock: SetClock) -> IssueRecorder:
    return IssueRecorder(table, "s", clock.now_ms)


def test_an_issue_is_stored_when_it_opens_and_moved_to_the_history(
    table: FailingIssues, clock: SetClock, recorder: IssueRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    recorder.update(0.0, bad())
    assert table.open_issues("s") == [IngestIssue(since_ms=1_000, **OF_TYPE)]
    assert recorder.open_types == {PAUSED}
    clock.at_ms = 9_000
    recorder.update(8.0, {PAUSED: None})
    closed = IngestIssue(since_ms=1_000, closed_at_ms=9_000, close_reason=CloseReason.CLEARED, **OF_TYPE)
    assert (list(table.open_issues("s")), table.history()) == ([], [closed])
    opened, over = caplog.records
    assert (opened.levelname, opened.message) == ("ERROR", "an ingest issue was opened")
    assert (over.levelname, over.message) == ("INFO", "an ingest issue was closed")
    assert {(each.stream_id, each.issue, each.actual) for each in (opened, over)} == {("s", PAUSED, "a")}


def test_changing_figures_are_stored_once_a_minute_and_the_last_at_the_end(
    table: FailingIssues, recorder: IssueRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    for second in range(int(REFRESH_S)):
        recorder.update(second, bad(str(second)))
    assert table.puts == 1
    recorder.update(REFRESH_S, bad("60"))
    assert table.puts == 2 and table.open_issues("s")[0].actual == "60"
    recorder.update(REFRESH_S + 1, bad("61"))
    recorder.update(REFRESH_S + 2, {PAUSED: None})
    assert table.history()[0].actual == "61"
    assert len(caplog.records) == 1, "it was opened once"


def test_what_could_not_be_stored_is_stored_later(table: FailingIssues, recorder: IssueRecorder) -> None:
    recorder.update(0.0, {})
    table.is_down = True
    with pytest.raises(StoreUnavailable):
        recorder.update(1.0, bad())
    # It does not try again at each tick.
    recorder.update(1.5, bad())
    with pytest.raises(StoreUnavailable):
        recorder.update(1.0 + RETRY_S, bad())
    table.is_down = False
    recorder.update(2.0 + RETRY_S, {PAUSED: None})
    assert table.history() == []
    recorder.update(2.0 + 2 * RETRY_S, {PAUSED: None})
    assert [each.closed_at_ms for each in table.history()] == [1_000], "it came and went meanwhile"


def test_another_worker_continues_what_is_open(
    table: FailingIssues, clock: SetClock, recorder: IssueRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    for issue_type in (PAUSED, IssueType.NO_CAPACITY):
        table.put(IngestIssue(since_ms=7, **{**OF_TYPE, "type": issue_type}))
    recorder.update(0.0, bad())
    [kept] = table.open_issues("s")
    assert (kept.type, kept.since_ms) == (PAUSED, 7)
    assert [each.type for each in table.history()] == [IssueType.NO_CAPACITY]
    assert caplog.records == [], "nothing was opened"
    recorder.close_all(1.0)
    assert [each.close_reason for each in table.history()] == [CloseReason.STOPPED, CloseReason.CLEARED]


def test_two_writers_of_a_type_end_with_one_issue(table: FailingIssues, recorder: IssueRecorder) -> None:
    recorder.update(0.0, {})
    table.put(IngestIssue(since_ms=7, **OF_TYPE))
    recorder.update(1.0, bad())
    recorder.update(2.0, bad())
    recorder.update(3.0, {PAUSED: None})
    assert list(table.open_issues("s")) == []
    assert [each.since_ms for each in table.history()] == [7]
