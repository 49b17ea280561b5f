"""What is wrong with what is published: pure rules over a looked-into segment and what its source had meanwhile."""

from collections.abc import Sequence

from worker.encoding.transcoder import Activity
from worker.publishing.sampling import Sample

# How much longer or shorter than the segment its sound may be.
SOUND_S_TOLERANCE = 0.15
SILENT_PEAK = 64
# For so many seconds the source has to have had sound or movement before its absence is a fault.
SECONDS_MIN = 8


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
