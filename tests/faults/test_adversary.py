"""A short run of `make adversary`: the sharpest strategies and an honest viewer, with the settlement at once."""

import pytest

from tests.faults.adversary.catalogue import STRATEGIES
from tests.faults.adversary.judge import judge, table
from tests.faults.adversary.received import Received, Segment
from tests.faults.adversary.run import play_all
from tests.faults.adversary.settling import settle_now
from tests.faults.adversary.streams import await_window, live_streams
from tests.faults.harness.private_stack import Operator
from tests.fixtures.stack import Stack

SECONDS = 15.0
LEASE_MS = 5_000
# As much as a lease and the allowance, so that there is something to fetch ahead.
WINDOW_S = 10
NAMES = (
    "start and stop at once",
    "fetch ahead and stop",
    "fetch ahead and lapse",
    "tiny max_points",
    "empty wallet and debt",
    "several ranges in a request",
    "honest client",
)
STREAM = "1s"


def test_a_part_of_a_segment_counts_once_whatever_its_quality_and_session() -> None:
    received, low, high = Received(), Segment("low/a-1.ts", 4_000.0), Segment("high/a-1.ts", 4_000.0)
    received.add("one", low, 0, 500, 1_000)
    received.add("one", low, 250, 250, 1_000)
    received.add("one", high, 2_400, 800, 4_000)
    assert received.by_session_ms() == {"one": pytest.approx(2_800.0)}
    received.add("two", low, 400, 200, 1_000)
    assert received.by_session_ms()["two"] == pytest.approx(800.0)
    assert received.distinct_ms() == pytest.approx(3_200.0)


@pytest.mark.timeout(240)
def test_nobody_obtains_more_than_is_paid_and_an_honest_viewer_gets_all(stack: Stack) -> None:
    chosen = [(each, STREAM) for each in STRATEGIES if each.name in NAMES]
    assert len(chosen) == len(NAMES)
    with Operator(stack.url) as operator, live_streams(stack, operator, [STREAM], lease_ms=LEASE_MS):
        await_window(operator, STREAM, WINDOW_S)
        plays = play_all(operator, chosen, SECONDS, seed=1, spread_s=1.0)
        settle_now(stack)
        rows = [
            judge(play.viewer, play.strategy.name, is_honest=play.strategy.is_honest, unsettled=0) for play in plays
        ]
    report = "\n".join([table(rows), *(play.failure for play in plays)])
    assert not any(play.failure for play in plays), report
    [honest] = [row for row in rows if row.is_honest]
    # In so short a time the segment within which nothing comes back is much.
    assert honest.paid_s - 1.0 <= honest.obtained_s <= honest.paid_s * 1.05, report
    assert all(row.is_fair for row in rows if not row.is_honest), report
    assert all(row.obtained_s > 0 for row in rows), report
