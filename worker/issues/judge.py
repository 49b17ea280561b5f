"""Judges what is observed of a stream: a verdict for each type of issue that can be judged now."""

from collections.abc import Collection

from chalicelib.domain.streams.issues.ingest_issues import Finding, IssueType
from worker.issues.delivery_rules import delivery_verdicts, encoder_verdicts
from worker.issues.observation import Observation
from worker.issues.repair_windows import RepairWindows
from worker.issues.sender_rules import sender_verdicts
from worker.issues.source_rules import SourceRules
from worker.issues.tracker import Verdicts


class Judge:
    """The rules, and what they remember of one stream. `time_scale` is that of `IssueTracker`."""

    def __init__(self, time_scale: float = 1.0) -> None:
        self._scale = time_scale
        self._repairs = RepairWindows(time_scale)
        self._source = SourceRules(time_scale)

    def verdicts(self, now_s: float, seen: Observation, open_types: Collection[IssueType]) -> Verdicts:
        """Return the verdicts on what was seen now. `open_types` need less to stay open than to open."""
        self._repairs.add(now_s, seen.run, seen.repairs)
        # The pattern and the slate are no source: nothing is known of one while they are played.
        of_repairs = self._repairs.verdicts(open_types, is_copied=seen.is_copied) if seen.source else {}
        window = self._repairs.newest if seen.repairs else None
        return {
            **of_repairs,
            **encoder_verdicts(seen, window, self._repairs.window_s, open_types),
            **sender_verdicts(now_s, seen, open_types, self._scale),
            **self._source.verdicts(now_s, seen, open_types),
            **delivery_verdicts(seen, open_types),
            IssueType.PICTURE_FROZEN: _frozen(seen),
            **_published(seen),
        }


def _frozen(seen: Observation) -> Finding | None:
    if not seen.frozen_sources:
        return None
    names = seen.frozen_sources
    which = f"source {names[0]} is" if len(names) == 1 else f"sources {', '.join(names)} are"
    return Finding(actual=f"the {which} frozen and silent, and not played", expected="something that moves or is heard")


def _published(seen: Observation) -> Verdicts:
    if seen.published_fault is None:
        return {}
    expected = "segments like their source for ten minutes"
    finding = Finding(actual=seen.published_fault, expected=expected) if seen.published_fault else None
    return {IssueType.PUBLISHED_FAULTY: finding}
