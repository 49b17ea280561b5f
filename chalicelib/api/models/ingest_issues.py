"""Ingest issues of a stream."""

from __future__ import annotations

from chalicelib.api.models.common import Answer, ListQuery
from chalicelib.domain.streams.issues.ingest_issues import CloseReason, IngestIssue, IssueState, IssueType, Severity
from chalicelib.domain.streams.issues.issue_kinds import KINDS


class IngestIssuesQuery(ListQuery):
    """Which issues are listed."""

    state: IssueState = IssueState.ALL


class IngestIssueAnswer(Answer):
    """What lasts and is wrong with a stream, since `since_ms`. `closed_at_ms` and `close_reason` are null while open.

    `actual` and `expected` have figures with their units, `advice` says what to change. `close_reason` is `cleared`,
    `unknown` (nothing can be measured any more) or `stopped` (the stream is not live any more).
    """

    issue_id: str
    type: IssueType
    severity: Severity
    since_ms: int
    closed_at_ms: int | None
    close_reason: CloseReason | None
    actual: str
    expected: str
    advice: str


def issue_answer(issue: IngestIssue) -> IngestIssueAnswer:
    """Return an issue with the severity and the advice of its type."""
    kind = KINDS[issue.type]
    values = {**vars(issue), "issue_id": issue.issue_id, "severity": kind.severity, "advice": kind.advice}
    return IngestIssueAnswer.model_validate(values)
