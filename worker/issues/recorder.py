"""Stores the issues of a stream as the tracker has them, and logs each that opens or closes."""

import logging
from collections.abc import Callable

from chalicelib.domain.streams.issues.ingest_issues import CloseReason, IngestIssue, IssueType, Severity
from chalicelib.domain.streams.issues.issue_kinds import KINDS
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.streams.ingest_issues import IngestIssues
from worker.issues.tracker import IssueTracker, Verdicts

log = logging.getLogger(__name__)

RETRY_S = 5.0
# An open issue whose figures change is stored again this often at most.
REFRESH_S = 60.0
LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.ERROR: logging.ERROR}


class IssueRecorder:
    """The writer of one stream's issues. Used by the pipeline's thread, which holds the claim."""

    def __init__(self, table: IngestIssues, stream_id: str, now_ms: Callable[[], int], time_scale: float = 1.0) -> None:
        self._table = table
        self._stream_id = stream_id
        self._tracker = IssueTracker(stream_id, now_ms, time_scale)
        self._has_adopted = False
        self._retry_at_s = 0.0
        # What is not stored yet: the last state of each issue, in the order of their first changes.
        self._pending: dict[str, IngestIssue] = {}
        # The stored open issues, and when they were stored.
        self._stored_at_s: dict[IssueType, float] = {}
        self._logged_ids: set[str] = set()

    @property
    def open_types(self) -> frozenset[IssueType]:
        """Return the types that are open, for rules that need less to stay open than to open."""
        return frozenset(self._tracker.issues)

    def update(self, now_s: float, verdicts: Verdicts) -> None:
        """Open, refresh and close issues. Raise `StoreUnavailable`; what was not stored is retried a little later."""
        if not self._has_adopted and now_s >= self._retry_at_s:
            self._adopt(now_s)
        if not self._has_adopted:
            return
        for issue in self._tracker.update(now_s, verdicts):
            self._note(issue)
        if now_s >= self._retry_at_s:
            self._store(now_s)

    def close_all(self, now_s: float) -> None:
        """Close all issues, since the stream is not to be live any more. Raise `StoreUnavailable`."""
        if not self._has_adopted:
            self._adopt(now_s)
        for issue in self._tracker.close_all(CloseReason.STOPPED):
            self._note(issue)
        self._store(now_s)

    def _adopt(self, now_s: float) -> None:
        """Read what earlier workers and the controller have left open."""
        self._retry_at_s = now_s + RETRY_S
        stored = self._table.open_issues(self._stream_id)
        self._stored_at_s = {issue.type: now_s for issue in stored}
        self._logged_ids |= {issue.issue_id for issue in stored}
        for closed in self._tracker.adopt(stored):
            self._note(closed)
        self._has_adopted, self._retry_at_s = True, now_s

    def _note(self, issue: IngestIssue) -> None:
        if issue.closed_at_ms is not None:
            _log_issue("an ingest issue was closed", logging.INFO, issue)
            self._logged_ids.discard(issue.issue_id)
        elif issue.issue_id not in self._logged_ids:
            _log_issue("an ingest issue was opened", LEVELS[KINDS[issue.type].severity], issue)
            self._logged_ids.add(issue.issue_id)
        self._pending[issue.issue_id] = issue

    def _store(self, now_s: float) -> None:
        for issue in list(self._pending.values()):
            stored_at_s = self._stored_at_s.get(issue.type)
            is_open = issue.closed_at_ms is None
            if is_open and stored_at_s is not None and now_s - stored_at_s < REFRESH_S:
                continue
            try:
                if is_open:
                    # Where another issue of the type is open, that one is continued.
                    self._has_adopted &= self._table.put(issue)
                    self._stored_at_s[issue.type] = now_s
                else:
                    self._close(issue)
            except StoreUnavailable:
                self._retry_at_s = now_s + RETRY_S
                raise
            del self._pending[issue.issue_id]

    def _close(self, issue: IngestIssue) -> None:
        if issue.type not in self._stored_at_s:
            # It came and went while the store was unavailable: it belongs to the history all the same.
            self._table.put(issue.reopened())
        self._table.close(issue)
        self._stored_at_s.pop(issue.type, None)


def _log_issue(what: str, level: int, issue: IngestIssue) -> None:
    reason = {"close_reason": issue.close_reason} if issue.close_reason else {}
    extra = {"stream_id": issue.stream_id, "issue": issue.type, "actual": issue.actual, "expected": issue.expected}
    log.log(level, what, extra={**extra, "since_ms": issue.since_ms, **reason})
