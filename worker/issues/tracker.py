"""Decides which issues of a stream are open: pure rules, times as monotonic seconds.

A verdict of a type is a finding, or None where all is well. A type without a verdict is unknown: it opens nothing, and
closes what is open after a minute.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from chalicelib.domain.streams.issues.ingest_issues import (
    CLOSES_AFTER_S_MAX,
    CONTROLLER_TYPES,
    REOPENED_WITHIN_S,
    UNKNOWN_S,
    CloseReason,
    Finding,
    IngestIssue,
    IssueType,
    opened_issue,
)
from chalicelib.domain.streams.issues.issue_kinds import KINDS

Verdicts = Mapping[IssueType, Finding | None]
TYPES = [each for each in IssueType if each not in CONTROLLER_TYPES]
# More openings than this do not make an issue close any later.
OPENINGS_COUNTED_MAX = 12


@dataclass
class _TypeState:
    """Since when the verdict on a type has been the same, and when its issues were opened last."""

    found_since_s: float | None = None
    clear_since_s: float | None = None
    unknown_since_s: float | None = None
    opened_at_s: deque[float] = field(default_factory=lambda: deque(maxlen=OPENINGS_COUNTED_MAX))


class IssueTracker:
    """The open issues of one stream. `time_scale` shortens all times; only tests have another one than 1."""

    def __init__(self, stream_id: str, now_ms: Callable[[], int], time_scale: float = 1.0) -> None:
        self.issues: dict[IssueType, IngestIssue] = {}
        self._stream_id = stream_id
        self._now_ms = now_ms
        self._scale = time_scale
        self._states = {each: _TypeState() for each in TYPES}

    def adopt(self, issues: Iterable[IngestIssue]) -> list[IngestIssue]:
        """Continue the open issues of an earlier worker. Return the controller's, closed: a worker has the stream."""
        stored = list(issues)
        self.issues = {issue.type: issue for issue in stored if issue.type not in CONTROLLER_TYPES}
        return [issue.closed(self._now_ms(), CloseReason.CLEARED) for issue in stored if issue.type in CONTROLLER_TYPES]

    def update(self, now_s: float, verdicts: Verdicts) -> list[IngestIssue]:
        """Take the present verdicts. Return the issues that were opened, that say something else, or were closed."""
        changed = []
        for issue_type, state in self._states.items():
            if issue_type not in verdicts:
                found = self._take_unknown(now_s, issue_type, state)
            elif finding := verdicts[issue_type]:
                found = self._take_finding(now_s, issue_type, state, finding)
            else:
                found = self._take_clear(now_s, issue_type, state)
            if found:
                changed.append(found)
        return changed

    def close_all(self, reason: CloseReason) -> list[IngestIssue]:
        """Close all issues and return them."""
        return [closed for issue_type in list(self.issues) if (closed := self._close(issue_type, reason))]

    def _take_unknown(self, now_s: float, issue_type: IssueType, state: _TypeState) -> IngestIssue | None:
        state.found_since_s = state.clear_since_s = None
        state.unknown_since_s = now_s if state.unknown_since_s is None else state.unknown_since_s
        if now_s - state.unknown_since_s < UNKNOWN_S * self._scale:
            return None
        return self._close(issue_type, CloseReason.UNKNOWN)

    def _take_clear(self, now_s: float, issue_type: IssueType, state: _TypeState) -> IngestIssue | None:
        state.found_since_s = state.unknown_since_s = None
        state.clear_since_s = now_s if state.clear_since_s is None else state.clear_since_s
        if now_s - state.clear_since_s < self._closes_after_s(now_s, issue_type, state):
            return None
        return self._close(issue_type, CloseReason.CLEARED)

    def _take_finding(
        self, now_s: float, issue_type: IssueType, state: _TypeState, finding: Finding
    ) -> IngestIssue | None:
        state.clear_since_s = state.unknown_since_s = None
        state.found_since_s = now_s if state.found_since_s is None else state.found_since_s
        before = self.issues.get(issue_type)
        lasted_s = now_s - state.found_since_s
        if before is None and lasted_s < KINDS[issue_type].opens_after_s * self._scale:
            return None
        if before is None:
            state.opened_at_s.append(now_s)
        since_ms = before.since_ms if before else self._now_ms() - round(lasted_s * 1000)
        issue = opened_issue(self._stream_id, issue_type, since_ms, finding)
        self.issues[issue_type] = issue
        return None if issue == before else issue

    def _closes_after_s(self, now_s: float, issue_type: IssueType, state: _TypeState) -> float:
        """Return how long an issue has to be clear: twice as long for each time that it has opened again lately."""
        lately = sum(now_s - at_s < REOPENED_WITHIN_S * self._scale for at_s in state.opened_at_s)
        least_s = KINDS[issue_type].closes_after_s
        if lately <= 1:
            return least_s * self._scale
        return min(CLOSES_AFTER_S_MAX, max(least_s, 1.0) * 2.0 ** (lately - 1)) * self._scale

    def _close(self, issue_type: IssueType, reason: CloseReason) -> IngestIssue | None:
        issue = self.issues.pop(issue_type, None)
        return replace(issue, closed_at_ms=self._now_ms(), close_reason=reason) if issue else None
