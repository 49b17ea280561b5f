"""What happens to a stream and when: drawn from a seed, so that a run can be played again."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What can happen to the pipeline."""

    ENCODER = "encoder killed"
    WORKER = "worker killed"
    HAND_OVER = "hand-over"
    UPLOADS = "uploads fail"
    FREEZE = "worker frozen"


# About how long each takes, uploads beside the time for which they fail; the rest of the time lies between them.
TYPICAL_S = {Kind.ENCODER: 5.0, Kind.WORKER: 7.0, Kind.HAND_OVER: 7.0, Kind.UPLOADS: 5.0, Kind.FREEZE: 25.0}
# The least time of peace before each, in which a viewer's buffer fills again.
CALM_S = 4.0


@dataclass(frozen=True)
class Planned:
    """An event, and when it is due, from the beginning of the run on."""

    at_s: float
    kind: Kind


@dataclass(frozen=True)
class Plan:
    """A whole run."""

    events: tuple[Planned, ...]
    uploads_fail_s: float
    total_s: float


def plan(rng: random.Random, counts: Mapping[Kind, int], uploads_fail_s: float, total_s: float) -> Plan:
    """All events in an order of chance, with pauses of chance between them. Raises `ValueError` for too little time."""
    kinds = [kind for kind in Kind for _ in range(counts.get(kind, 0))]
    rng.shuffle(kinds)
    lengths = [TYPICAL_S[kind] + (uploads_fail_s if kind is Kind.UPLOADS else 0.0) for kind in kinds]
    spare_s = total_s - sum(lengths) - CALM_S * (len(kinds) + 1)
    if spare_s < 0:
        raise ValueError(f"{len(kinds)} events need {total_s - spare_s:.0f} s at least, not {total_s:.0f} s")
    weights = [rng.random() for _ in range(len(kinds) + 1)]
    at_s, events = 0.0, []
    for kind, length_s, weight in zip(kinds, lengths, weights[:-1], strict=True):
        at_s += CALM_S + spare_s * weight / sum(weights)
        events.append(Planned(at_s, kind))
        at_s += length_s
    return Plan(tuple(events), uploads_fail_s, total_s)
