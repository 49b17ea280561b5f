"""Kill each process of the platform while viewers pay.

Viewers watch, pay, stop and start over HTTP while each process is killed `--times` times, at moments that follow from
the seed. The emulator gets SIGTERM instead. Afterwards every wallet is compared with every answer.
The status is 0 if there is no violation.
"""

import statistics
import sys
import threading
import time
from collections import Counter
from functools import partial
from random import Random

from tests.faults.commands.kill_targets import KILL_TARGETS, TERMINATE_TARGETS, KillTarget, TargetPlatform
from tests.faults.commands.paying_clients import PATIENCE_S, ViewerClients
from tests.faults.harness.api_client import ApiClient
from tests.faults.harness.command_line import command_parser, print_start
from tests.faults.harness.private_stack import TERMS, Operator, private_stack
from tests.faults.harness.threads import Threads
from tests.faults.oracle.wallet_check import Findings, WalletCheck

WATCHERS = 2
SESSIONS_MAX = WATCHERS + 1
OPENING_MILLIPOINTS = 100_000_000
# The longest pause between a recovery and the next kill.
PAUSE_S_MAX = 1.5
EMULATOR_TIMES = 3
JOIN_S_MAX = PATIENCE_S + 30.0


def kill_all(platform: TargetPlatform, targets: list[tuple[KillTarget, int]], rng: Random) -> dict[str, list[float]]:
    """Kill each target several times in a row. Returns the recovery times in seconds."""
    recovery_s: dict[str, list[float]] = {}
    pause = threading.Event()
    for target, times in targets:
        for _ in range(times):
            pause.wait(rng.uniform(0, PAUSE_S_MAX))
            recovery_s.setdefault(target.name, []).append(target.kill(platform, rng.choice))
        print(row(target.name, recovery_s[target.name]), flush=True)
    return recovery_s


def row(name: str, recovery_s: list[float]) -> str:
    return f"{name:<20} {len(recovery_s):>5} {statistics.median(recovery_s):>9.2f} {max(recovery_s):>9.2f}"


def main() -> int:
    parser = command_parser("make kills", __doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--users", type=int, default=6)
    parser.add_argument("--only", help="kill only processes of this name")
    arguments = parser.parse_args()
    rng = Random(arguments.seed)
    targets = [(target, arguments.times) for target in KILL_TARGETS]
    targets += [(target, min(arguments.times, EMULATOR_TIMES)) for target in TERMINATE_TARGETS]
    targets = [each for each in targets if arguments.only in (None, each[0].name)]
    rng.shuffle(targets)
    print_start(arguments.seed)
    began_s = time.monotonic()
    with private_stack(SESSIONS_MAX) as stack, Operator(stack.url) as operator:
        operator.go_live()
        stopped = threading.Event()
        all_clients = []
        for _ in range(arguments.users):
            account, answers = operator.viewer(OPENING_MILLIPOINTS)
            all_clients.append(ViewerClients(stack.url, account, operator.account, answers, stopped))
        print(f"{'process':<20} {'kills':>5} {'p50 s':>9} {'max s':>9}", flush=True)
        tasks = [task for each in all_clients for task in (*[each.watch] * WATCHERS, each.pay_and_restart)]
        threads = Threads([partial(task, Random(f"{arguments.seed}.{n}")) for n, task in enumerate(tasks)], stopped)
        try:
            recovery_s = kill_all(TargetPlatform(stack, operator, SESSIONS_MAX), targets, rng)
        finally:
            # Each client finishes its session.
            stopped.set()
        threads.join(JOIN_S_MAX)
        findings = Findings()
        for viewer_clients in all_clients:
            with ApiClient(stack.url, viewer_clients.account) as client:
                findings.add(WalletCheck(client, viewer_clients.answers, TERMS).run())
    done, retries = Counter[str](), Counter[str]()
    for viewer_clients in all_clients:
        done += viewer_clients.done
        retries += viewer_clients.retries
    kills, took_s = sum(map(len, recovery_s.values())), time.monotonic() - began_s
    print(f"kills {kills} in {took_s:.0f} s, {arguments.users} wallets")
    print(f"answered: {dict(sorted(done.items()))}")
    print(f"retries {sum(retries.values())}: {dict(retries.most_common())}")
    print("\n".join(findings.report()), flush=True)
    return 1 if findings.violations else 0


if __name__ == "__main__":
    sys.exit(main())
