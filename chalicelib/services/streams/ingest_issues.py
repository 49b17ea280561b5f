"""Lists of ingest issues for operators, and the issues of streams that no worker has."""

import re

from chalicelib.domain.errors import WrongCursor
from chalicelib.domain.streams.issues.ingest_issues import (
    CONTROLLER_TYPES,
    CloseReason,
    Finding,
    IngestIssue,
    IssueState,
    IssueType,
    opened_issue,
)
from chalicelib.domain.streams.runtime import Waiting
from chalicelib.ports.common import Clock, ListPage
from chalicelib.ports.streams.ingest_issues import IngestIssues

ISSUE_OF_WAITING = {Waiting.NO_WORKER: IssueType.NO_WORKER, Waiting.NO_CAPACITY: IssueType.NO_CAPACITY}
_ISSUE_ID = re.compile(r"[0-9]{13}\.[a-z_]{1,50}")


class IngestIssuesService:
    """Lists issues, and keeps those that only the controller can know."""

    def __init__(self, table: IngestIssues, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def open_issues(self, stream_id: str) -> list[IngestIssue]:
        """Return all open issues of a stream, newest first. The caller knows that the stream exists."""
        return sorted(self._table.open_issues(stream_id), key=lambda issue: issue.issue_id, reverse=True)

    def listing(self, stream_id: str, *, state: IssueState, limit: int, cursor: str | None) -> ListPage[IngestIssue]:
        """Return a page of issues, the one found last first. The caller knows that the stream exists.

        The cursor is the id of the last issue. Raise `WrongCursor`.
        """
        if cursor is not None and not _ISSUE_ID.fullmatch(cursor):
            raise WrongCursor
        found: list[IngestIssue] = []
        if state is not IssueState.CLOSED:
            found += [each for each in self.open_issues(stream_id) if cursor is None or each.issue_id < cursor]
        if state is not IssueState.OPEN:
            found += self._table.closed_issues(stream_id, before_id=cursor, limit=limit + 1)
        # An issue that was closed between the two reads is in both.
        found = sorted({each.issue_id: each for each in found}.values(), key=lambda each: each.issue_id, reverse=True)
        items = found[:limit]
        return ListPage(items=items, next_cursor=items[-1].issue_id if len(found) > limit else None)

    def record_unclaimed(self, stream_id: str, waiting: Waiting | None, error: str) -> None:
        """Note that no worker has a live stream, and why. `waiting` None: a worker is about to claim it.

        What the last worker has found is unknown from now on.
        """
        expected = ISSUE_OF_WAITING[waiting] if waiting else None
        stored = {issue.type: issue for issue in self._table.open_issues(stream_id)}
        if waiting is not None:
            self._close(*(issue for issue in stored.values() if issue.type not in CONTROLLER_TYPES))
        over = [issue for issue in stored.values() if issue.type in CONTROLLER_TYPES and issue.type is not expected]
        self._close(*over, reason=CloseReason.CLEARED)
        if expected:
            finding = Finding(actual=error, expected="a worker with room for the stream")
            now_ms = self._clock.now_ms()
            since_ms = stored[expected].since_ms if expected in stored else now_ms
            self._table.put(opened_issue(stream_id, expected, since_ms, finding))

    def record_stopped(self, stream_id: str) -> None:
        """Close all issues of a stream that is not to be live and has no worker."""
        self._close(*self._table.open_issues(stream_id), reason=CloseReason.STOPPED)

    def _close(self, *issues: IngestIssue, reason: CloseReason = CloseReason.UNKNOWN) -> None:
        for issue in issues:
            self._table.close(issue.closed(self._clock.now_ms(), reason))
