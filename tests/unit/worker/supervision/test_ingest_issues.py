from chalicelib.domain.streams.media_health import ISSUE_DETAIL_CHARS_MAX, IngestIssueCode, Repairs
from tests.fakes.simple import SetClock
from worker.supervision.ingest_issues import WINDOW_S, IngestIssues, find_issues, frozen_issue

FINE = Repairs()
GAP = Repairs(silence_ms=20)


WITH_ISSUE = [
    ([Repairs(silence_ms=5_000)], FINE, IngestIssueCode.AUDIO_MISSING),
    # Three of the last six windows.
    ([GAP, FINE, GAP, FINE, GAP], FINE, IngestIssueCode.AUDIO_GAPS),
    # What is missing altogether is one issue, not two.
    ([GAP, GAP, Repairs(silence_ms=10_000)], FINE, IngestIssueCode.AUDIO_MISSING),
    ([FINE], Repairs(drift_ppm=100), IngestIssueCode.AUDIO_DRIFT),
    ([FINE], Repairs(drift_ppm=-100), IngestIssueCode.AUDIO_DRIFT),
    ([Repairs(pictures_repeated=100)], FINE, IngestIssueCode.PICTURE_PAUSED),
    ([Repairs(timestamp_jumps=1)] * 3, FINE, IngestIssueCode.TIMESTAMP_JUMPS),
    ([Repairs(format_changes=3), *[FINE] * 50], FINE, IngestIssueCode.FORMAT_CHANGES),
    ([Repairs(damaged_packets=5)] * 2, FINE, IngestIssueCode.DAMAGED_MEDIA),
]
WITHOUT = [
    *([FINE], [Repairs(silence_ms=4_999)], [Repairs(silence_ms=9)] * 6, [GAP, GAP], [GAP, GAP, GAP, *[FINE] * 4]),
    *([Repairs(pictures_repeated=99)], [Repairs(timestamp_jumps=1)] * 2),
    *([Repairs(format_changes=2)], [Repairs(damaged_packets=9)]),
    # It has come back.
    *([Repairs(silence_ms=10_000), FINE], [Repairs(pictures_repeated=500), FINE]),
]


def test_an_issue_is_a_repair_that_goes_on() -> None:
    for windows, now, code in WITH_ISSUE:
        ((found, detail),) = find_issues(tuple(windows), now).items()
        assert found == code and detail.endswith(".") and len(detail) <= ISSUE_DETAIL_CHARS_MAX
    assert [find_issues(tuple(windows), FINE) for windows in WITHOUT] == [{}] * len(WITHOUT)
    assert find_issues((FINE,), Repairs(drift_ppm=99)) == {}
    # Details have the figures.
    issues = find_issues((GAP, GAP, Repairs(silence_ms=200, damaged_packets=12)), Repairs(drift_ppm=-350))
    assert "240 ms in the last minute" in issues[IngestIssueCode.AUDIO_GAPS]
    assert "350 ppm slow" in issues[IngestIssueCode.AUDIO_DRIFT]
    assert "12 packets" in issues[IngestIssueCode.DAMAGED_MEDIA]
    assert "350 ppm fast" in find_issues((FINE,), Repairs(drift_ppm=350))[IngestIssueCode.AUDIO_DRIFT]


def test_an_issue_has_begun_when_it_was_found_first_and_ends_with_its_repairs() -> None:
    clock = SetClock(1_000)
    issues = IngestIssues(clock.now_ms)
    made_ms, since = 0, []
    for window, silence_ms in enumerate((0, 10_000, 10_000, 0, 10_000)):
        made_ms += silence_ms
        clock.at_ms = 1_000 + window
        said = issues.update(window * WINDOW_S, 1, Repairs(silence_ms=made_ms), {})
        since.append([issue.since_ms for issue in said])
    assert since == [[], [1_001], [1_001], [], [1_004]]
    # Between two windows nothing changes.
    issues = IngestIssues(lambda: 1_000)
    (issue,) = issues.update(0.0, 1, Repairs(silence_ms=10_000), {})
    assert issue.code is IngestIssueCode.AUDIO_MISSING
    assert issues.update(WINDOW_S - 0.1, 1, Repairs(silence_ms=10_000), {}) == (issue,)
    assert issues.update(WINDOW_S - 0.1, 1, None, {}) == (issue,)
    assert issues.update(WINDOW_S, 1, Repairs(silence_ms=10_000), {}) == ()


def test_another_run_counts_from_nothing() -> None:
    issues = IngestIssues(lambda: 1_000)
    issues.update(0.0, 1, Repairs(timestamp_jumps=2, silence_ms=60_000), {})
    assert issues.update(WINDOW_S, 2, Repairs(timestamp_jumps=1, silence_ms=100), {}) == ()
    (issue,) = issues.update(2 * WINDOW_S, 2, Repairs(timestamp_jumps=3, silence_ms=100), {})
    assert issue.code is IngestIssueCode.TIMESTAMP_JUMPS and "3 times" in issue.detail


def test_a_lasting_issue_is_there_at_once_and_only_while_it_lasts() -> None:
    clock = SetClock(1_000)
    issues = IngestIssues(clock.now_ms)
    frozen = {IngestIssueCode.PICTURE_FROZEN: frozen_issue(["primary"])}
    (issue,) = issues.update(0.0, 0, None, frozen)
    detail = "The source primary is frozen and silent, and not played until something moves or is heard."
    assert (issue.code, issue.since_ms, issue.detail) == (IngestIssueCode.PICTURE_FROZEN, 1_000, detail)
    clock.at_ms = 2_000
    both = issues.update(0.1, 1, Repairs(silence_ms=10_000), frozen)
    assert [(each.code, each.since_ms) for each in both] == [
        (IngestIssueCode.AUDIO_MISSING, 2_000),
        (IngestIssueCode.PICTURE_FROZEN, 1_000),
    ]
    (silent,) = issues.update(0.2, 1, None, {})
    assert silent.code is IngestIssueCode.AUDIO_MISSING
    clock.at_ms = 3_000
    assert issues.update(0.3, 1, None, frozen)[-1].since_ms == 3_000, "it is another time that it is frozen"
    assert frozen_issue(["primary", "backup-1"]).startswith("The sources primary, backup-1 are frozen and silent")
