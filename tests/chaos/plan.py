"""The plan of a run: its events and their times, which follow from a seed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind of event."""

    ENCODER = "encoder killed"
    WORKER = "worker killed"
    HAND_OVER = "hand-over"
    UPLOADS = "uploads fail"
    FREEZE = "worker frozen"


# About how long each event takes (uploads: beyond the time for which they fail).
TYPICAL_S = {Kind.ENCODER: 5.0, Kind.WORKER: 7.0, Kind.HAND_OVER: 7.0, Kind.UPLOADS: 5.0, Kind.FREEZE: 25.0}
# The shortest pause before an event, in which the buffer of a viewer fills again.
PAUSE_S_MIN = 4.0


@dataclass(frozen=True)
class PlannedEvent:
    """An event and its time from the start of the run."""

    at_s: float
    kind: Kind


@dataclass(frozen=True)
class Plan:
    """All events of a run."""

    events: tuple[PlannedEvent, ...]
    uploads_fail_s: float
    total_s: float


def make_plan(rng: random.Random, counts: Mapping[Kind, int], uploads_fail_s: float, total_s: float) -> Plan:
    """Return the events in a random order with random pauses. Raise `ValueError` for too little time."""
    kinds = [kind for kind in Kind for _ in range(counts.get(kind, 0))]
    rng.shuffle(kinds)
    lengths = [TYPICAL_S[kind] + (uploads_fail_s if kind is Kind.UPLOADS else 0.0) for kind in kinds]
    spare_s = total_s - sum(lengths) - PAUSE_S_MIN * (len(kinds) + 1)
    if spare_s < 0:
        raise ValueError(f"{len(kinds)} events need {total_s - spare_s:.0f} s at least, not {total_s:.0f} s")
    weights = [rng.random() for _ in range(len(kinds) + 1)]
    at_s, events = 0.0, []
    for kind, length_s, weight in zip(kinds, lengths, weights[:-1], strict=True):
        at_s += PAUSE_S_MIN + spare_s * weight / sum(weights)
        events.append(PlannedEvent(at_s, kind))
        at_s += length_s
    return Plan(tuple(events), uploads_fail_s, total_s)
