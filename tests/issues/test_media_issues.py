"""Each issue of the media opens with an input that ffmpeg makes, and closes once the fault is over."""

from pathlib import Path

import pytest

from chalicelib.domain.streams.issues.ingest_issues import IssueType
from tests.issues.inputs import INPUTS, IssueInput
from tests.issues.media_time import MediaTry

# How long after its begin a fault has to be an issue, and how long after its end it may still be one.
OPENS_S_MAX = 31.0
# Two measurements of 20 s.
LATE = {IssueType.AUDIO_DRIFT: 50.0}
CLOSES_S_MAX = 45.0
# They count changes, and wait for two minutes or one without another.
LASTING = {
    IssueType.TIMESTAMP_JUMPS: 140.0,
    IssueType.FORMAT_CHANGES: 140.0,
    IssueType.DAMAGED_MEDIA: 140.0,
    IssueType.PICTURE_SIZE_CHANGED: 130.0,
    IssueType.AUDIO_DRIFT: 100.0,
    # Gaps of the last minute count.
    IssueType.AUDIO_GAPS: 90.0,
}


@pytest.mark.parametrize("item", INPUTS, ids=lambda item: item.name)
def test_an_issue_opens_with_its_fault_and_closes_after_it(item: IssueInput, tmp_path: Path) -> None:
    spans = MediaTry(item, tmp_path).run()
    assert set(item.issues) <= set(spans) <= {*item.issues, *item.may_have}
    for issue_type, (from_s, until_s) in item.issues.items():
        span = spans[issue_type]
        assert from_s <= span.opened_s <= from_s + LATE.get(issue_type, OPENS_S_MAX), issue_type
        assert span.closed_s and 0 <= span.closed_s - until_s <= LASTING.get(issue_type, CLOSES_S_MAX), issue_type
