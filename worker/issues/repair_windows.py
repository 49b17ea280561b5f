"""Issues of repairs that go on: the repairs of a run, compared over windows of 10 s."""

from collections import deque
from collections.abc import Collection

from chalicelib.domain.streams.issues.ingest_issues import Finding, IssueType
from chalicelib.domain.streams.media_health import Repairs
from worker.issues.tracker import Verdicts

# Repairs are compared over windows of this length, the newest of which are kept.
WINDOW_S = 10.0
WINDOWS = 60
MINUTE = 6
# The share of a window without sound that counts as no sound.
MISSING_SHARE = 0.5
# So many windows of the last minute had gaps.
GAPPED_MIN = 3
GAP_MS = 10
# Common sound cards are within 50 ppm of each other. An open issue stays open down to the second value.
DRIFT_PPM_MIN, DRIFT_PPM_STAYS = 100, 80
# Repeated pictures a second.
PAUSED_PER_S = 10
JUMPS_MIN = CHANGES_MIN = 3
DAMAGED_MIN = 10
# What is counted over all windows is over when the last so many windows, two minutes, had none of it.
RECENT = 12
COUNTED = (
    "silence_ms",
    "pictures_repeated",
    "pictures_dropped",
    "timestamp_jumps",
    "format_changes",
    "damaged_packets",
)


class RepairWindows:
    """The repairs of a stream's present run, by window."""

    def __init__(self, time_scale: float = 1.0) -> None:
        self.window_s = WINDOW_S * time_scale
        self._run = 0
        self._windows: deque[Repairs] = deque(maxlen=WINDOWS)
        self._previous = Repairs()
        self._now: Repairs | None = None
        self._due_s = 0.0

    def add(self, now_s: float, run: int, repairs: Repairs | None) -> None:
        """Take the count of repairs that `run` has made so far; None if it has not reported any."""
        if run != self._run:
            self._run, self._previous, self._now = run, Repairs(), None
            self._windows.clear()
            self._due_s = now_s + self.window_s
        if repairs is None:
            self._now = None
        elif now_s >= self._due_s:
            self._due_s = now_s + self.window_s
            self._windows.append(_between(self._previous, repairs))
            self._previous = self._now = repairs

    @property
    def newest(self) -> Repairs | None:
        """Return what was repaired in the last whole window; None before there is one."""
        return self._windows[-1] if self._windows else None

    def verdicts(self, open_types: Collection[IssueType], *, is_copied: bool) -> Verdicts:
        """Return the verdicts on the present run; none before its first window. Copied pictures are not decoded."""
        if self._now is None:
            return {}
        windows, window_s = tuple(self._windows), self.window_s
        found = {**_sound_verdicts(windows, self._now, window_s, open_types), **_lasting_verdicts(windows)}
        if not is_copied:
            repeated_per_s = windows[-1].pictures_repeated / window_s
            found[IssueType.PICTURE_PAUSED] = None
            if repeated_per_s >= PAUSED_PER_S:
                actual = f"{repeated_per_s:.0f} pictures a second were repeated, since no new ones came"
                found[IssueType.PICTURE_PAUSED] = Finding(actual=actual, expected=f"fewer than {PAUSED_PER_S} a second")
        return found


def _sound_verdicts(
    windows: tuple[Repairs, ...], now: Repairs, window_s: float, open_types: Collection[IssueType]
) -> dict[IssueType, Finding | None]:
    newest, minute = windows[-1], windows[-MINUTE:]
    found: dict[IssueType, Finding | None] = {IssueType.AUDIO_MISSING: None, IssueType.AUDIO_GAPS: None}
    gapped = sum(window.silence_ms >= GAP_MS for window in minute)
    if newest.silence_ms >= MISSING_SHARE * window_s * 1000:
        actual = f"no sound for {newest.silence_ms / 1000:.1f} s of the last {window_s:g} s"
        found[IssueType.AUDIO_MISSING] = Finding(actual=actual, expected="sound all the time, at least silence")
        # What is missing altogether is one issue. Whether there would be gaps is unknown.
        del found[IssueType.AUDIO_GAPS]
    elif gapped >= GAPPED_MIN:
        silence_ms = sum(window.silence_ms for window in minute)
        actual = f"{silence_ms} ms of sound are missing in the last {len(minute) * window_s:g} s"
        found[IssueType.AUDIO_GAPS] = Finding(actual=actual, expected="no gaps")
    if now.drift_ppm is not None:
        allowed = DRIFT_PPM_STAYS if IssueType.AUDIO_DRIFT in open_types else DRIFT_PPM_MIN
        found[IssueType.AUDIO_DRIFT] = None
        if abs(now.drift_ppm) >= allowed:
            way = "fast" if now.drift_ppm > 0 else "slow"
            actual = f"the sound clock is {abs(now.drift_ppm)} ppm {way} against the picture"
            found[IssueType.AUDIO_DRIFT] = Finding(actual=actual, expected=f"less than {DRIFT_PPM_MIN} ppm")
    return found


def _lasting_verdicts(windows: tuple[Repairs, ...]) -> dict[IssueType, Finding | None]:
    """Return the verdicts on what is counted over all windows, ten minutes, and has come lately."""
    jumps, changes, damaged = (
        sum(getattr(window, name) for window in windows)
        if any(getattr(window, name) for window in windows[-RECENT:])
        else 0
        for name in ("timestamp_jumps", "format_changes", "damaged_packets")
    )
    found: dict[IssueType, Finding | None] = dict.fromkeys(
        (IssueType.TIMESTAMP_JUMPS, IssueType.FORMAT_CHANGES, IssueType.DAMAGED_MEDIA)
    )
    if jumps >= JUMPS_MIN:
        actual = f"the time stamps jumped {jumps} times in ten minutes"
        found[IssueType.TIMESTAMP_JUMPS] = Finding(actual=actual, expected="time stamps that rise without jumps")
    if changes >= CHANGES_MIN:
        actual = f"the format changed {changes} times in ten minutes"
        found[IssueType.FORMAT_CHANGES] = Finding(actual=actual, expected="one format")
    if damaged >= DAMAGED_MIN:
        actual = f"{damaged} packets in ten minutes could not be decoded"
        found[IssueType.DAMAGED_MEDIA] = Finding(actual=actual, expected=f"fewer than {DAMAGED_MIN}")
    return found


def _between(previous: Repairs, now: Repairs) -> Repairs:
    return Repairs(**{name: max(0, getattr(now, name) - getattr(previous, name)) for name in COUNTED})
