"""The port `CanaryRuns`: the fake and DynamoDB keep the same promises."""

from chalicelib.domain.operations.canary import STEPS, CanaryRun
from chalicelib.domain.operations.series import Sample, Step
from chalicelib.ports.common import all_items
from chalicelib.stores import Stores

NOW = 1_800_000_000_000
RUNS = [
    CanaryRun(at_ms=NOW, steps_ms=(5,) * len(STEPS), failure=None),
    CanaryRun(at_ms=NOW + 300_000, steps_ms=(5, 0), failure="no stream is live"),
    CanaryRun(at_ms=NOW + 600_000, steps_ms=(7,) * len(STEPS), failure="the ledger says 3"),
]


def test_runs_are_listed_newest_first_and_alone(stores: Stores) -> None:
    for run in RUNS:
        stores.canary_runs.add(run)
    stores.series.add("", Step.MINUTE, {NOW // 60_000: Sample(gauges={"active_sessions": 1}, counts={})})
    assert list(all_items(stores.canary_runs.page, limit=2)) == RUNS[::-1]
    assert stores.canary_runs.page(limit=1, cursor=None).items == [RUNS[2]]
