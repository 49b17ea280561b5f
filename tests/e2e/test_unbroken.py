"""Each event of `make chaos` happens once while a viewer watches."""

import random
from pathlib import Path

import pytest

from tests.chaos.plan import Kind, Plan, PlannedEvent
from tests.chaos.report import HEAD
from tests.chaos.run import run_plan
from tests.fixtures.stack import Stack

SEED = 4
UPLOADS_FAIL_S = 8.0
SEGMENT_SECONDS = 1


# More than twice the usual time. Every wait is for an event and has its own bound.
@pytest.mark.timeout(480)
def test_a_stream_survives_every_event(stack: Stack, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    kinds = rng.sample(list(Kind), len(Kind))
    # All are due at once, so each begins when the one before has ended.
    plan = Plan(tuple(PlannedEvent(0.0, kind) for kind in kinds), UPLOADS_FAIL_S, 0.0)
    outcome = run_plan(stack, plan, rng, tmp_path, SEGMENT_SECONDS)
    print("\n".join([HEAD, *map(str, outcome.rows), *outcome.broken_goals, outcome.summary]))
    # Only `make chaos` checks stalls of mpv: other tests may use the CPU here.
    assert outcome.violations == []
    assert [row.kind for row in outcome.rows] == kinds
    # Each new owner, each new ffmpeg and each gap has a discontinuity.
    assert all(row.discontinuities >= 1 for row in outcome.rows if row.kind is not Kind.UPLOADS)
