import random

import pytest

from tests.chaos.events import EventResult
from tests.chaos.follower import Arrival
from tests.chaos.picture_sampler import Sample, Stall, stalls
from tests.chaos.plan import PAUSE_S_MIN, TYPICAL_S, Kind, make_plan
from tests.chaos.report import STALL_S_MAX, Row, broken_goals, rows
from tests.fixtures.continuity import NamedSegment
from worker.claims import TTL_MS

COUNTS = {Kind.ENCODER: 5, Kind.WORKER: 3, Kind.HAND_OVER: 2, Kind.UPLOADS: 1, Kind.FREEZE: 1}


def arrival(at_s: float, number: int, discontinuity: int = 0) -> Arrival:
    return Arrival(at_s, NamedSegment("480p", number, f"1-{discontinuity + 1}-{number:06d}.ts", discontinuity))


def row(kind: Kind, *stalls_s: float) -> Row:
    return Row(kind, 0.0, 1.0, 2.0, 1, stalls_s)


def test_a_plan_holds_everything_and_is_the_same_for_a_seed() -> None:
    plan = make_plan(random.Random(1), COUNTS, 60.0, 600.0)
    assert plan == make_plan(random.Random(1), COUNTS, 60.0, 600.0)
    assert plan != make_plan(random.Random(2), COUNTS, 60.0, 600.0)
    kinds = [event.kind for event in plan.events]
    assert {kind: kinds.count(kind) for kind in Kind} == COUNTS
    over_s = 0.0
    for event in plan.events:
        assert event.at_s >= over_s + PAUSE_S_MIN - 0.001
        over_s = event.at_s + TYPICAL_S[event.kind] + (60.0 if event.kind is Kind.UPLOADS else 0.0)
    assert over_s + PAUSE_S_MIN <= 600.001
    with pytest.raises(ValueError, match=r"12 events need \d+ s at least, not 60 s"):
        make_plan(random.Random(1), COUNTS, 60.0, 60.0)


def test_a_row_has_the_result_of_its_event() -> None:
    events = [EventResult(Kind.ENCODER, 10.0, 3.0), EventResult(Kind.WORKER, 20.0, None)]
    arrivals = [arrival(8.0, 1), arrival(9.5, 2), arrival(13.0, 3, 1), arrival(15.0, 4, 1), arrival(19.0, 5, 1)]
    stops = [Stall(5.0, 9.0, True), Stall(11.0, 2.0, True), Stall(26.0, 1.0, True)]
    first, second = rows(events, arrivals, stops, 8.0, 30.0)
    assert first == Row(Kind.ENCODER, 2.0, 3.0, 4.0, 1, (2.0,))
    # Nothing came any more.
    assert second == Row(Kind.WORKER, 12.0, None, 11.0, 0, (1.0,))


def test_one_stall_of_five_seconds_is_allowed() -> None:
    assert broken_goals([row(Kind.ENCODER), row(Kind.WORKER, 5.0)], 60.0) == []
    assert broken_goals([row(Kind.ENCODER, 1.0, 2.0)], 60.0) == ["encoder killed at 0 s: 2 stalls (1.0 s, 2.0 s)"]
    assert broken_goals([row(Kind.WORKER, 5.1)], 60.0) == ["worker killed at 0 s: a stall of 5.1 s, 5 s are allowed"]
    # What was never there cannot be played.
    frozen_s = TTL_MS / 1000 + STALL_S_MAX
    assert broken_goals([row(Kind.UPLOADS, 64.0), row(Kind.FREEZE, frozen_s - 1.0)], 60.0) == []
    assert len(broken_goals([row(Kind.UPLOADS, 66.0), row(Kind.FREEZE, frozen_s + 1.0)], 60.0)) == 2


def samples(*positions: float | None) -> list[Sample]:
    return [Sample(n / 4, position) for n, position in enumerate(positions)]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([], []),
        (samples(0.0, 0.2, 0.5, 0.5, 0.8, 1.0), []),
        # Samples that come late are none: the machine was busy, but the picture went on.
        ([Sample(0.0, 1.0), Sample(3.0, 4.0), Sample(6.0, 7.0)], []),
        (samples(0.0, 1.0, 1.0, 1.0, 1.0, 1.3, 1.5), [Stall(0.25, 0.75, False)]),
        (samples(1.0, 2.0, 2.0, 2.0, 2.0), [Stall(0.25, 0.75, False)]),
        # No picture is a standing one, but not before the first.
        (samples(None, None, None, None, 1.0, 1.2), []),
        (samples(1.0, None, None, None, 2.0, 2.2), [Stall(0.0, 0.75, False)]),
        (
            [Sample(0.0, 1.0), Sample(1.0, 1.0, True), Sample(2.0, 1.0, True), Sample(3.0, 1.1), Sample(4.0, 1.1)],
            [Stall(0.0, 2.0, True), Stall(3.0, 1.0, False)],
        ),
    ],
)
def test_a_picture_that_does_not_move_is_a_stall_also_while_it_lasts(given: list[Sample], found: list[Stall]) -> None:
    assert stalls(given) == found
