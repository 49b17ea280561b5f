"""The long run of kills finds the processes that it is to kill, and sees when one is back."""

from tests.faults.commands.kill_targets import KILLED, TERMINATED, Site
from tests.faults.harness.private_stack import Operator
from tests.fixtures.stack import Stack


def test_the_processes_of_the_platform_are_found_and_one_that_is_killed_comes_back(stack: Stack) -> None:
    with Operator(stack.url) as operator:
        site = Site(stack, operator, sessions_per_user_max=3)
        found = {victim.name: victim.find(site) for victim in (*KILLED, *TERMINATED)}
        encoder = found.pop("encoder")
        assert len(encoder) <= 1
        pools = {"api worker": 4, "endpoints worker": 2, "nginx worker": 2}
        assert {name: len(pids) for name, pids in found.items()} == {name: pools.get(name, 1) for name in found}
        assert len({pid for pids in found.values() for pid in pids}) == sum(map(len, found.values()))
        [victim] = [victim for victim in KILLED if victim.name == "nginx worker"]
        assert victim.kill(site, min) > 0
        assert min(found["nginx worker"]) not in victim.find(site)
        assert site.fatal() == []
