"""Issues for the operator: repairs that continue, and what else is wrong with a source or the published media."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from chalicelib.domain.streams.media_health import IngestIssue, IngestIssueCode, Repairs

# Repairs are compared over windows of this length, the newest of which are kept.
WINDOW_S = 10.0
WINDOWS = 60
MINUTE = 6
# So much of a window's sound was generated.
MISSING_MS = 5_000
# So many windows of the last minute had gaps.
GAPPED_MIN = 3
GAP_MS = 10
# Common sound cards are within 50 ppm of each other.
DRIFT_PPM_MIN = 100
PAUSED_PICTURES_MIN = 100
JUMPS_MIN = CHANGES_MIN = 3
DAMAGED_MIN = 10


class IngestIssues:
    """The issues of a stream: continuing repairs of its present run, and lasting ones. Used by one thread."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._run = 0
        self._windows: deque[Repairs] = deque(maxlen=WINDOWS)
        self._previous = Repairs()
        self._due_s = 0.0
        self._since_ms: dict[IngestIssueCode, int] = {}
        self._found: dict[IngestIssueCode, str] = {}

    def update(
        self, now_s: float, run: int, repairs: Repairs | None, lasting: Mapping[IngestIssueCode, str]
    ) -> tuple[IngestIssue, ...]:
        """Return the present issues. `run` made these `repairs`; `lasting` issues are present right now."""
        if run != self._run:
            self._run, self._previous = run, Repairs()
            self._windows.clear()
        if repairs is not None and now_s >= self._due_s:
            self._due_s = now_s + WINDOW_S
            self._windows.append(_between(self._previous, repairs))
            self._previous = repairs
            self._found = find_issues(tuple(self._windows), repairs)
        details, now_ms = {**self._found, **lasting}, self._now_ms()
        self._since_ms = {code: self._since_ms.get(code, now_ms) for code in details}
        return tuple(
            IngestIssue(code=code, detail=detail, since_ms=self._since_ms[code]) for code, detail in details.items()
        )


def find_issues(windows: tuple[Repairs, ...], now: Repairs) -> dict[IngestIssueCode, str]:
    """Return the issues of a run by its windows, oldest first, each with a sentence for the operator."""
    issues: dict[IngestIssueCode, str] = {}
    newest, minute = windows[-1], windows[-MINUTE:]
    gapped = sum(window.silence_ms >= GAP_MS for window in minute)
    if newest.silence_ms >= MISSING_MS:
        issues[IngestIssueCode.AUDIO_MISSING] = "No sound comes from the source. Viewers hear silence."
    elif gapped >= GAPPED_MIN:
        silence_ms = sum(window.silence_ms for window in minute)
        issues[IngestIssueCode.AUDIO_GAPS] = (
            f"Sound is missing repeatedly: {silence_ms} ms in the last minute. Packets may be lost on the way."
        )
    if now.drift_ppm is not None and abs(now.drift_ppm) >= DRIFT_PPM_MIN:
        way = "fast" if now.drift_ppm > 0 else "slow"
        issues[IngestIssueCode.AUDIO_DRIFT] = (
            f"The sender's sound clock is {abs(now.drift_ppm)} ppm {way} against its picture. The sound is stretched."
        )
    if newest.pictures_repeated >= PAUSED_PICTURES_MIN:
        issues[IngestIssueCode.PICTURE_PAUSED] = "Few or no new pictures come. Viewers see the last one."
    jumps, changes, damaged = (
        sum(getattr(window, name) for window in windows)
        for name in ("timestamp_jumps", "format_changes", "damaged_packets")
    )
    if jumps >= JUMPS_MIN:
        issues[IngestIssueCode.TIMESTAMP_JUMPS] = (
            f"The sender's time stamps jumped {jumps} times in ten minutes. They were corrected."
        )
    if changes >= CHANGES_MIN:
        issues[IngestIssueCode.FORMAT_CHANGES] = f"The source changed its format {changes} times in ten minutes."
    if damaged >= DAMAGED_MIN:
        issues[IngestIssueCode.DAMAGED_MEDIA] = (
            f"{damaged} packets in ten minutes could not be decoded. They may be damaged on the way."
        )
    return issues


def frozen_issue(sources: Sequence[str]) -> str:
    """Return the sentence for sources that are frozen and silent."""
    frozen = f"source {sources[0]} is" if len(sources) == 1 else f"sources {', '.join(sources)} are"
    return f"The {frozen} frozen and silent, and not played until something moves or is heard."


def _between(previous: Repairs, now: Repairs) -> Repairs:
    counted = ("silence_ms", "pictures_repeated", "timestamp_jumps", "format_changes", "damaged_packets")
    return Repairs(**{name: max(0, getattr(now, name) - getattr(previous, name)) for name in counted})
