"""Waiting for issues of a pipeline in real time, on the emulator. Times of issues are a tenth of the product's."""

import pytest

from chalicelib.domain.streams.issues.ingest_issues import CloseReason, IngestIssue, IssueType
from tests.fixtures.waiting import eventually
from tests.integration.worker.harness import STREAM, Lab
from worker.ingest import failover
from worker.supervision import observing, pipeline

SCALE = 0.1


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "ISSUES_TIME_SCALE", SCALE)
    monkeypatch.setattr(observing, "REFUSALS_INTERVAL_S", 0.5)
    monkeypatch.setattr(failover, "REFUSED_DELAY_S", 0.5)


def open_issues(lab: Lab) -> dict[IssueType, IngestIssue]:
    return {issue.type: issue for issue in lab.issues.open_issues(STREAM)}


def closed(lab: Lab) -> set[IssueType]:
    found = lab.issues.closed_issues(STREAM, before_id=None, limit=100)
    return {issue.type for issue in found if issue.close_reason is CloseReason.CLEARED}


def opens(lab: Lab, *types: IssueType, timeout_s: float = 30) -> None:
    for issue_type in types:
        eventually(lambda wanted=issue_type: wanted in open_issues(lab), timeout_s, issue_type, lab.runtime)


def clears(lab: Lab, *types: IssueType, timeout_s: float = 30) -> None:
    for issue_type in types:
        eventually(
            lambda wanted=issue_type: wanted not in open_issues(lab) and wanted in closed(lab),
            timeout_s,
            f"the end of {issue_type}",
            lab.runtime,
        )
