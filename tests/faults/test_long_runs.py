"""A short run of `make load`, and the targets of `make kills`, on the platform that the suite shares."""

import pytest

from tests.faults.commands.kill_targets import KILL_TARGETS, TERMINATE_TARGETS, TargetPlatform
from tests.faults.commands.load import load, report_lines
from tests.faults.harness.private_stack import Operator
from tests.fixtures.stack import Stack

SECONDS = 6.0
# As many as that platform allows a viewer at a time.
SESSIONS = 3


@pytest.mark.timeout(240)
def test_one_wallet_is_exact_under_many_racing_clients(stack: Stack) -> None:
    with Operator(stack.url) as operator:
        operator.go_live()
        try:
            run, findings = load(operator, seconds=SECONDS, threads=16, sessions=SESSIONS, seed=1)
        finally:
            operator.stop_stream()
    report = "\n".join(report_lines(run, findings, SECONDS))
    assert findings.violations == [], report
    assert run.outcomes["replay"] and len(run.answers.sales) > SESSIONS and run.answers.acknowledged_payments, report


def test_the_processes_of_the_platform_are_found_and_one_that_is_killed_comes_back(stack: Stack) -> None:
    with Operator(stack.url) as operator:
        platform = TargetPlatform(stack, operator, sessions_per_user_max=3)
        found = {target.name: target.find(platform) for target in (*KILL_TARGETS, *TERMINATE_TARGETS)}
        assert len(found.pop("encoder")) <= 1
        pools = {"api worker": 4, "endpoints worker": 2, "nginx worker": 2}
        assert {name: len(pids) for name, pids in found.items()} == {name: pools.get(name, 1) for name in found}
        assert len({pid for pids in found.values() for pid in pids}) == sum(map(len, found.values()))
        [target] = [target for target in KILL_TARGETS if target.name == "nginx worker"]
        assert target.kill(platform, min) > 0
        assert min(found["nginx worker"]) not in target.find(platform)
        assert platform.fatal_parts() == []
