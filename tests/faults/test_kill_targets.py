"""The targets of `make kills` are found, and the recovery of one is noticed."""

from tests.faults.commands.kill_targets import KILL_TARGETS, TERMINATE_TARGETS, TargetPlatform
from tests.faults.harness.private_stack import Operator
from tests.fixtures.stack import Stack


def test_the_processes_of_the_platform_are_found_and_one_that_is_killed_comes_back(stack: Stack) -> None:
    with Operator(stack.url) as operator:
        platform = TargetPlatform(stack, operator, sessions_per_user_max=3)
        found = {target.name: target.find(platform) for target in (*KILL_TARGETS, *TERMINATE_TARGETS)}
        encoder = found.pop("encoder")
        assert len(encoder) <= 1
        pools = {"api worker": 4, "endpoints worker": 2, "nginx worker": 2}
        assert {name: len(pids) for name, pids in found.items()} == {name: pools.get(name, 1) for name in found}
        assert len({pid for pids in found.values() for pid in pids}) == sum(map(len, found.values()))
        [target] = [target for target in KILL_TARGETS if target.name == "nginx worker"]
        assert target.kill(platform, min) > 0
        assert min(found["nginx worker"]) not in target.find(platform)
        assert platform.fatal_parts() == []
