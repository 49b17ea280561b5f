"""Money under SIGKILL: `python -m tests.faults.commands.kills [--times 20] [--users 6] [--only NAME] [--seed N]`.

Several viewers watch, pay, stop and start through real HTTP while each process of ours is killed `--times` times in a
row, at moments drawn from the seed: supervisord, nginx, the pools and their masters, the scheduler, the worker and
its encoder. The emulator, which stands for AWS, is only ever ended in good order. Clients send again what was not
answered. Afterwards every wallet is held against every answer. Status 0 if nothing was lost, doubled or wrong.
"""

import argparse
import os
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.commands.kill_targets import KILLED, TERMINATED, Site, Victim
from tests.faults.commands.paying_clients import PATIENCE_S, Household
from tests.faults.harness.api_client import Caller
from tests.faults.harness.private_stack import TERMS, Operator, private_stack, seed_of
from tests.faults.oracle.wallet_check import Audit, Findings

WATCHERS = 2
SESSIONS_MAX = WATCHERS + 1
OPENING_MILLIPOINTS = 100_000_000
# Between 0 and this many seconds after everything is back, the next one is killed; often while it is still warming up.
CALM_S_MAX = 1.5
EMULATOR_TIMES = 3
JOIN_S_MAX = PATIENCE_S + 30.0


@contextmanager
def clients(households: list[Household], over: threading.Event, seed: int) -> Iterator[None]:
    """All clients at work; at the end each finishes what it has begun. Raises what one of them raised."""
    failures: list[BaseException] = []

    def guarded(work: object, number: int) -> None:
        try:
            work(random.Random(f"{seed}.{number}"))  # type: ignore[operator]
        except BaseException as error:
            failures.append(error)

    works = [work for household in households for work in household.works(WATCHERS)]
    threads = [threading.Thread(target=guarded, args=(work, n), daemon=True) for n, work in enumerate(works)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        deadline = time.monotonic() + JOIN_S_MAX
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
    if failures:
        raise failures[0]
    assert not any(thread.is_alive() for thread in threads), "a client found no end"


def kill_all(site: Site, victims: list[tuple[Victim, int]], rng: random.Random) -> dict[str, list[float]]:
    """Kill each victim so many times in a row; answers the recovery times in seconds."""
    took: dict[str, list[float]] = {}
    calm = threading.Event()
    for victim, times in victims:
        for _ in range(times):
            calm.wait(rng.uniform(0, CALM_S_MAX))
            took.setdefault(victim.name, []).append(victim.kill(site, rng.choice))
        print(row(victim.name, took[victim.name]), flush=True)
    return took


def row(name: str, took: list[float]) -> str:
    """A line of the table."""
    return f"{name:<20} {len(took):>5} {statistics.median(took):>9.2f} {max(took):>9.2f}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--users", type=int, default=6)
    parser.add_argument("--only", help="kill only processes of this name")
    parser.add_argument("--seed")
    asked = parser.parse_args()
    seed = seed_of(asked.seed)
    rng = random.Random(seed)
    victims = [(victim, asked.times) for victim in KILLED] + [(v, min(asked.times, EMULATOR_TIMES)) for v in TERMINATED]
    victims = [each for each in victims if asked.only in (None, each[0].name)]
    rng.shuffle(victims)
    print(f"seed {seed}, {os.cpu_count()} processors with a load of {os.getloadavg()[0]:.1f} before", flush=True)
    began = time.monotonic()
    with private_stack(SESSIONS_MAX) as stack, Operator(stack.url) as operator:
        operator.go_live()
        over = threading.Event()
        households = []
        for _ in range(asked.users):
            account, told = operator.viewer(OPENING_MILLIPOINTS)
            households.append(Household(stack.url, account, operator.account, told, over))
        print(f"{'process':<20} {'kills':>5} {'p50 s':>9} {'max s':>9}", flush=True)
        with clients(households, over, seed):
            took = kill_all(Site(stack, operator, SESSIONS_MAX), victims, rng)
        findings = Findings()
        for household in households:
            with Caller(stack.url, household.account) as caller:
                findings.add(Audit(caller, household.told, TERMS).run())
    done, retried = Counter[str](), Counter[str]()
    for household in households:
        done += household.done
        retried += household.retried
    print(f"kills {sum(map(len, took.values()))} in {time.monotonic() - began:.0f} s, {asked.users} wallets")
    print(f"answered: {dict(sorted(done.items()))}")
    print(f"sent again {sum(retried.values())}: {dict(retried.most_common())}")
    print("\n".join(findings.report()), flush=True)
    return 1 if findings.violations else 0


if __name__ == "__main__":
    sys.exit(main())
