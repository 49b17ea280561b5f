"""The port `IngestIssues`: open issues and the history, over the fake and over DynamoDB."""

from dataclasses import replace

import pytest

from chalicelib.domain.streams.issues.ingest_issues import CloseReason, IngestIssue, IssueType
from chalicelib.ports.streams.ingest_issues import IngestIssues

NOW = 1_800_000_000_000
DRIFT = IngestIssue(
    stream_id="stream-1", type=IssueType.AUDIO_DRIFT, since_ms=NOW, actual="300 ppm", expected="less than 100 ppm"
)
GAPS = replace(DRIFT, type=IssueType.AUDIO_GAPS, since_ms=NOW - 5)

table = pytest.fixture(lambda stores: stores.ingest_issues)


def closed(issue: IngestIssue, after_ms: int = 10) -> IngestIssue:
    return issue.closed(issue.since_ms + after_ms, CloseReason.CLEARED)


def test_an_open_issue_is_stored_and_refreshed(table: IngestIssues) -> None:
    assert table.open_issues("stream-1") == []
    assert table.put(DRIFT) and table.put(GAPS)
    changed = replace(DRIFT, actual="400 ppm")
    assert table.put(changed)
    assert sorted(table.open_issues("stream-1"), key=str) == sorted([changed, GAPS], key=str)
    assert table.open_issues("stream-2") == []


def test_a_type_is_open_once(table: IngestIssues) -> None:
    assert table.put(DRIFT)
    assert not table.put(replace(DRIFT, since_ms=NOW + 1))
    assert table.put(replace(DRIFT, stream_id="stream-2", since_ms=NOW + 1))
    assert table.open_issues("stream-1") == [DRIFT]


def test_a_closed_issue_is_in_the_history_and_may_open_again(table: IngestIssues) -> None:
    table.put(DRIFT)
    assert table.close(closed(DRIFT))
    assert table.open_issues("stream-1") == []
    assert table.closed_issues("stream-1", before_id=None, limit=10) == [closed(DRIFT)]
    # Of two that close it, one does.
    assert not table.close(closed(DRIFT))
    again = replace(DRIFT, since_ms=NOW + 20)
    assert table.put(again) and not table.close(closed(DRIFT))
    assert table.open_issues("stream-1") == [again]


def test_the_history_is_read_newest_first_in_pages(table: IngestIssues) -> None:
    issues = [replace(DRIFT, since_ms=NOW + number) for number in range(7)]
    for issue in issues:
        table.put(issue)
        table.close(closed(issue))
    table.put(GAPS)
    ids: list[str] = []
    while page := table.closed_issues("stream-1", before_id=ids[-1] if ids else None, limit=3):
        ids += [issue.issue_id for issue in page]
    assert ids == [issue.issue_id for issue in reversed(issues)]
    # Also before one that is open.
    assert table.closed_issues("stream-1", before_id=GAPS.issue_id, limit=3) == []
    newest = table.closed_issues("stream-1", before_id=replace(GAPS, since_ms=NOW + 99).issue_id, limit=1)
    assert [issue.issue_id for issue in newest] == ids[:1]
