"""Everything dies once while somebody watches, in two minutes; `make chaos` does more of it for ten."""

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


# Twice what it takes, and more: every wait in it is for an event, and has a bound of its own.
@pytest.mark.timeout(480)
def test_a_stream_survives_everything(stack: Stack, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    kinds = rng.sample(list(Kind), len(Kind))
    # Due at once: each begins a moment after the one before is over.
    plan = Plan(tuple(PlannedEvent(0.0, kind) for kind in kinds), UPLOADS_FAIL_S, 0.0)
    outcome = run_plan(stack, plan, rng, tmp_path, SEGMENT_SECONDS)
    print("\n".join([HEAD, *map(str, outcome.rows), *outcome.broken_goals, outcome.summary]))
    # How long mpv stalls is for `make chaos` to judge: here other tests may have the processors.
    assert outcome.violations == []
    assert [row.kind for row in outcome.rows] == kinds
    # Each new owner and each new ffmpeg marks its seam; segments that were left out are marked as well.
    assert all(row.discontinuities >= 1 for row in outcome.rows if row.kind is not Kind.UPLOADS)
