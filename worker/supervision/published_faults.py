"""Faults of what is published: rules over inspected segments and what their source had meanwhile."""

from collections.abc import Sequence

from worker.encoding.transcoder import Activity
from worker.publishing.segment_sampler import Sample

# How much longer or shorter than the segment its sound may be.
SOUND_S_TOLERANCE = 0.15
SILENT_PEAK = 64
# For so many seconds the source has to have had sound or movement before its absence is a fault.
SECONDS_MIN = 8
# One fault may come from a change of the source; two in a row are the run's.
FAULTS_MIN = 2
# After a run was replaced, all inspected segments have to be right for this long.
CLEAN_S = 600.0


def published_fault(sample: Sample, activity: Sequence[Activity]) -> str | None:
    """Return what is wrong with a published segment, for the operator; None if nothing is."""
    if sample.has_sound and abs(sample.sound_s - sample.duration_s) > SOUND_S_TOLERANCE:
        return f"a published segment of {sample.duration_s:.2f} s has {sample.sound_s:.2f} s of sound"
    if len(activity) < SECONDS_MIN:
        return None
    if sample.has_sound and sample.peak < SILENT_PEAK and all(second.heard for second in activity):
        return "a published segment is silent while the source has sound"
    if sample.dark and not any(second.dark for second in activity):
        return "a published segment is black while the source is not"
    if not sample.moves and all(second.moves for second in activity):
        return "a published segment stands still while the source moves"
    return None


class FaultHistory:
    """The faults of all runs of a stream: when a run has to be replaced, and how long the operator sees them."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._replaced = 0
        self._fault = ""
        self._has_inspected = False
        # Since when all inspected segments were right.
        self._clean_since_s: float | None = None

    def start_run(self) -> None:
        """Count consecutive faults from 0: they are one run's."""
        self._in_a_row = 0

    def record(self, now_s: float, fault: str | None) -> str | None:
        """Record the result of an inspection. Return why the run has to be replaced, if it has."""
        self._has_inspected = True
        if fault is None:
            self._in_a_row = 0
            self._clean_since_s = now_s if self._clean_since_s is None else self._clean_since_s
            return None
        self._in_a_row += 1
        self._clean_since_s = None
        if self._in_a_row < FAULTS_MIN:
            return None
        self._replaced, self._fault = self._replaced + 1, fault
        return fault

    def issue(self, now_s: float) -> str | None:
        """Return the fault, for the operator, from the replacement of a run until all was right for `CLEAN_S`.

        After that, and before, `""`. None if no segment was looked into.
        """
        if self._clean_since_s is not None and now_s - self._clean_since_s >= CLEAN_S:
            self._replaced = 0
        if not self._replaced:
            return "" if self._has_inspected else None
        often = "a run was" if self._replaced == 1 else f"{self._replaced} runs were"
        return f"{often} replaced: {self._fault}"
