from collections.abc import Sequence

from chalicelib.domain.streams.issues.ingest_issues import Finding, IssueType
from chalicelib.domain.streams.media_health import Repairs
from worker.issues.repair_windows import COUNTED, RECENT, WINDOW_S, RepairWindows
from worker.issues.tracker import Verdicts

FINE = Repairs()
GAP = Repairs(silence_ms=20)
OF_REPAIRS = {
    IssueType.AUDIO_MISSING,
    IssueType.AUDIO_GAPS,
    IssueType.PICTURE_PAUSED,
    IssueType.TIMESTAMP_JUMPS,
    IssueType.FORMAT_CHANGES,
    IssueType.DAMAGED_MEDIA,
}
WITH_ISSUE = [
    ([Repairs(silence_ms=5_000)], IssueType.AUDIO_MISSING),
    # Three of the last six windows.
    ([GAP, FINE, GAP, FINE, GAP], IssueType.AUDIO_GAPS),
    # What is missing altogether is one issue, not two.
    ([GAP, GAP, Repairs(silence_ms=10_000)], IssueType.AUDIO_MISSING),
    ([Repairs(drift_ppm=100)], IssueType.AUDIO_DRIFT),
    ([Repairs(drift_ppm=-100)], IssueType.AUDIO_DRIFT),
    ([Repairs(pictures_repeated=100)], IssueType.PICTURE_PAUSED),
    ([Repairs(timestamp_jumps=1)] * 3, IssueType.TIMESTAMP_JUMPS),
    ([Repairs(format_changes=3), *[FINE] * (RECENT - 1)], IssueType.FORMAT_CHANGES),
    ([Repairs(format_changes=2), *[FINE] * 50, Repairs(format_changes=1)], IssueType.FORMAT_CHANGES),
    ([Repairs(damaged_packets=5)] * 2, IssueType.DAMAGED_MEDIA),
]
WITHOUT = [
    *([FINE], [Repairs(silence_ms=4_999)], [Repairs(silence_ms=9)] * 6, [GAP, GAP], [GAP, GAP, GAP, *[FINE] * 4]),
    *([Repairs(pictures_repeated=99)], [Repairs(timestamp_jumps=1)] * 2, [Repairs(drift_ppm=99)]),
    *([Repairs(format_changes=2)], [Repairs(damaged_packets=9)]),
    # It has come back.
    *([Repairs(silence_ms=10_000), FINE], [Repairs(pictures_repeated=500), FINE]),
    # Two minutes without any.
    [Repairs(timestamp_jumps=9), *[FINE] * RECENT],
]


def judged(windows: Sequence[Repairs], *open_types: IssueType, is_copied: bool = False) -> Verdicts:
    """Return the verdicts after these windows of a run. The drift is the last one that was measured."""
    all_windows, made = RepairWindows(), dict.fromkeys(COUNTED, 0)
    all_windows.add(0.0, 1, FINE)
    for number, window in enumerate(windows):
        made = {name: count + getattr(window, name) for name, count in made.items()}
        all_windows.add((number + 1) * WINDOW_S, 1, Repairs(**made, drift_ppm=window.drift_ppm))
    return all_windows.verdicts(open_types, is_copied=is_copied)


def found(verdicts: Verdicts) -> dict[IssueType, Finding]:
    return {issue_type: finding for issue_type, finding in verdicts.items() if finding}


def test_an_issue_is_a_repair_that_goes_on() -> None:
    for windows, issue_type in WITH_ISSUE:
        assert list(found(judged(windows))) == [issue_type]
    assert [found(judged(windows)) for windows in WITHOUT] == [{}] * len(WITHOUT)
    # What is judged is known to be right, and nothing else.
    assert set(judged([FINE])) == OF_REPAIRS
    # Findings have the figures.
    windows = (GAP, GAP, Repairs(silence_ms=200, damaged_packets=12, drift_ppm=-350))
    assert {issue_type: finding.actual for issue_type, finding in found(judged(windows)).items()} == {
        IssueType.AUDIO_GAPS: "240 ms of sound are missing in the last 30 s",
        IssueType.AUDIO_DRIFT: "the sound clock is 350 ppm slow against the picture",
        IssueType.DAMAGED_MEDIA: "12 packets in ten minutes could not be decoded",
    }
    fast = judged([Repairs(drift_ppm=350)])[IssueType.AUDIO_DRIFT]
    assert fast and "350 ppm fast" in fast.actual


def test_an_open_drift_stays_open_near_its_bound() -> None:
    drift = IssueType.AUDIO_DRIFT
    for ppm, is_open, expected in ((99, False, False), (99, True, True), (-80, True, True), (79, True, False)):
        verdicts = judged([Repairs(drift_ppm=ppm)], *[drift] * is_open)
        assert (verdicts[drift] is not None) is expected


def test_what_is_not_measured_has_no_verdict() -> None:
    windows = RepairWindows()
    assert windows.verdicts((), is_copied=False) == {} and windows.newest is None
    windows.add(0.0, 1, FINE)
    windows.add(WINDOW_S - 0.1, 1, Repairs(silence_ms=9_000))
    assert windows.verdicts((), is_copied=False) == {}, "the first window is not over"
    windows.add(WINDOW_S, 1, Repairs(silence_ms=9_000))
    assert found(windows.verdicts((), is_copied=False))
    windows.add(WINDOW_S + 0.1, 1, None)
    assert windows.verdicts((), is_copied=False) == {}, "the run has ended"
    # No pause is measured of pictures that are copied, no gaps while there is no sound at all.
    assert IssueType.PICTURE_PAUSED not in judged([FINE], is_copied=True)
    assert IssueType.AUDIO_GAPS not in judged([Repairs(silence_ms=10_000)])


def test_another_run_counts_from_nothing() -> None:
    windows = RepairWindows()
    windows.add(0.0, 1, FINE)
    windows.add(WINDOW_S, 1, Repairs(timestamp_jumps=2, silence_ms=60_000))
    windows.add(WINDOW_S + 1, 2, Repairs(timestamp_jumps=1))
    assert windows.verdicts((), is_copied=False) == {}
    windows.add(2 * WINDOW_S + 1, 2, Repairs(timestamp_jumps=1, silence_ms=100))
    assert found(windows.verdicts((), is_copied=False)) == {}
    windows.add(3 * WINDOW_S + 1, 2, Repairs(timestamp_jumps=3, silence_ms=100))
    assert list(found(windows.verdicts((), is_copied=False))) == [IssueType.TIMESTAMP_JUMPS]
