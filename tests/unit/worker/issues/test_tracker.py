import pytest

from chalicelib.domain.streams.issues import issue_kinds
from chalicelib.domain.streams.issues.ingest_issues import (
    CLOSES_AFTER_S_MAX,
    ISSUE_TEXT_CHARS_MAX,
    REOPENED_WITHIN_S,
    UNKNOWN_S,
    CloseReason,
    Finding,
    IngestIssue,
    IssueType,
    Severity,
)
from chalicelib.domain.streams.issues.issue_kinds import KINDS, IssueKind
from tests.fakes.simple import SetClock
from worker.issues.tracker import TYPES, IssueTracker

DRIFT, GAPS = IssueType.AUDIO_DRIFT, IssueType.AUDIO_GAPS
BAD = Finding(actual="300 ppm", expected="less than 100 ppm")


class Timed:
    """A tracker whose type `DRIFT` opens after 10 s and closes after 20 s, and its clock."""

    def __init__(self) -> None:
        self.clock = SetClock(1_000_000)
        self.tracker = IssueTracker("s", self.clock.now_ms)
        self.now_s = 0.0

    def after(self, by_s: float, *verdict: Finding | None) -> list[IngestIssue]:
        """Give a verdict after a time; without one the type is unknown. Return what has changed."""
        self.now_s += by_s
        self.clock.advance(round(by_s * 1000))
        return self.tracker.update(self.now_s, {DRIFT: verdict[0]} if verdict else {})


@pytest.fixture
def it(monkeypatch: pytest.MonkeyPatch) -> Timed:
    kind = IssueKind(severity=Severity.INFO, advice="", opens_after_s=10.0, closes_after_s=20.0)
    monkeypatch.setitem(issue_kinds.KINDS, DRIFT, kind)
    return Timed()


def test_an_issue_opens_when_it_has_lasted_and_closes_when_it_is_over_for_long_enough(it: Timed) -> None:
    assert it.after(0, BAD) == it.after(9.9, BAD) == []
    [opened] = it.after(0.1, BAD)
    assert opened == IngestIssue(
        stream_id="s", type=DRIFT, since_ms=1_000_000, actual=BAD.actual, expected=BAD.expected
    )
    assert it.after(1, BAD) == [], "nothing has changed"
    [other] = it.after(1, Finding(actual="400 ppm", expected=BAD.expected))
    assert (other.since_ms, other.actual) == (opened.since_ms, "400 ppm")
    assert it.after(0, None) == it.after(19.9, None) == []
    [closed] = it.after(0.1, None)
    assert (closed.issue_id, closed.closed_at_ms) == (opened.issue_id, 1_032_000)
    assert closed.close_reason is CloseReason.CLEARED and it.tracker.issues == {}


def test_a_break_starts_the_time_again(it: Timed) -> None:
    for verdict in (BAD, None, BAD):
        assert it.after(9, verdict) == []
    assert it.after(9.9, BAD) == []
    assert it.after(0.1, BAD)
    for verdict in (None, BAD, None):
        assert it.after(19, verdict) == []
    assert it.after(19.9, None) == []
    assert it.after(0.1, None)


def test_unknown_opens_nothing_and_closes_what_is_open_after_a_minute(it: Timed) -> None:
    it.after(0, BAD)
    assert it.after(5) == it.after(5, BAD) == [], "it was unknown meanwhile"
    assert it.after(10, BAD)
    # Nor does it count as clear.
    it.after(0, None)
    assert it.after(19) == it.after(10, None) == it.after(19, None) == []
    assert it.after(0) == it.after(UNKNOWN_S - 1) == []
    [closed] = it.after(1)
    assert closed.close_reason is CloseReason.UNKNOWN
    assert it.after(UNKNOWN_S) == []


def test_an_issue_that_comes_back_takes_twice_as_long_to_close_each_time(it: Timed) -> None:
    for closes_after_s in (20, 40, 80, 160, 320, CLOSES_AFTER_S_MAX, CLOSES_AFTER_S_MAX):
        it.after(0, BAD)
        assert it.after(10.1, BAD)
        it.after(0, None)
        assert it.after(closes_after_s - 0.1, None) == []
        assert it.after(0.2, None)
    # An hour later it counts as new.
    it.after(REOPENED_WITHIN_S, BAD)
    assert it.after(10, BAD)
    it.after(0, None)
    assert it.after(20, None)


def test_what_an_earlier_worker_has_found_goes_on(it: Timed) -> None:
    stored = [
        IngestIssue(stream_id="s", type=issue_type, since_ms=5, actual="a", expected="e")
        for issue_type in (DRIFT, GAPS, IssueType.NO_WORKER)
    ]
    [claimed] = it.tracker.adopt(stored)
    assert (claimed.type, claimed.close_reason) == (IssueType.NO_WORKER, CloseReason.CLEARED)
    assert it.after(0, None) == []
    [closed] = it.after(20, None)
    assert (closed.type, closed.since_ms) == (DRIFT, 5)
    [unknown] = it.after(UNKNOWN_S - 20, None)
    assert (unknown.type, unknown.close_reason) == (GAPS, CloseReason.UNKNOWN)


def test_all_end_with_the_stream_and_texts_are_bounded(it: Timed) -> None:
    it.after(0, Finding(actual="x" * 10_000, expected="y" * 10_000))
    [opened] = it.after(10, Finding(actual="x" * 10_000, expected="y" * 10_000))
    assert len(opened.actual) == len(opened.expected) == ISSUE_TEXT_CHARS_MAX
    [closed] = it.tracker.close_all(CloseReason.STOPPED)
    assert (closed.issue_id, closed.close_reason) == (opened.issue_id, CloseReason.STOPPED)
    assert it.tracker.close_all(CloseReason.STOPPED) == []


def test_tests_may_shorten_all_times() -> None:
    tracker = IssueTracker("s", SetClock().now_ms, time_scale=0.1)
    assert tracker.update(0.0, {GAPS: BAD}) and not tracker.update(0.0, {GAPS: None})
    assert tracker.update(KINDS[GAPS].closes_after_s * 0.1, {GAPS: None})


def test_each_type_has_a_kind_with_advice() -> None:
    assert set(KINDS) == set(IssueType) and set(TYPES) < set(IssueType)
    for kind in KINDS.values():
        assert 20 <= len(kind.advice) <= 300 and kind.advice[0].isupper() and kind.advice.endswith(".")
        assert 0 <= kind.opens_after_s <= 60 and 0 <= kind.closes_after_s <= CLOSES_AFTER_S_MAX
