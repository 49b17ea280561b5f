"""End all lapsed sessions and settle all ended ones now, with a clock that is ahead of the platform's.

`python -m infra.local.stack run tests.faults.adversary.settling` runs it in the environment of a platform whose log
follower has added everything: `settle_now` waits for that.
"""

import os
import signal
import sys
import time

from chalicelib import config
from chalicelib.bootstrap import Container
from chalicelib.domain.money.lease import LATE_MS_MAX
from chalicelib.domain.money.measuring import LOG_ARRIVES_MS
from chalicelib.domain.money.reconciliation import RECONCILE_AFTER_MS
from infra.local.processes.supervision import SupervisionError
from tests.fixtures.stack import Stack
from tests.fixtures.waiting import wait_for

# Longer than the longest lease.
LAPSED_AFTER_MS = LATE_MS_MAX + 61_000
# nginx writes its log within a second, each of its processes for itself.
LOGGED_S = 1.5
FOLLOWER_S_MAX = 30.0
# Runs of a process, each of 20 s at most, and how often it is started.
RUNS, TRIES_MAX = 4, 10
# The status of a process that left something to do.
MORE = 3


class ClockAhead:
    """A clock that is ahead of the machine's."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


def settle_now(stack: Stack) -> str:
    """Settle all sessions of a platform, and return what was done. No request may be in progress."""
    time.sleep(LOGGED_S)
    _restart_follower(stack)
    for _ in range(TRIES_MAX):
        done = stack.command("run", "tests.faults.adversary.settling")
        if done.returncode == 0:
            return done.stdout
        assert done.returncode == MORE, done.stdout + done.stderr
    raise AssertionError(f"not all is settled after {TRIES_MAX} tries: {done.stdout}")


def _restart_follower(stack: Stack) -> None:
    """Restart the log follower, which first adds what was logged before."""
    before, alive = _pid(stack), stack.layout.run_dir / "usage.alive"
    os.kill(before, signal.SIGTERM)
    wait_for("a new log follower", lambda: _pid(stack) not in (0, before), FOLLOWER_S_MAX)
    restarted_s = time.time()
    wait_for("the new follower's position", lambda: alive.stat().st_mtime > restarted_s, FOLLOWER_S_MAX)


def _pid(stack: Stack) -> int:
    try:
        return stack.pid("usage")
    except SupervisionError:
        return 0


def main() -> int:
    """Return 0 if nothing is left to settle, else `MORE`."""
    container, clock = Container(config.load()), ClockAhead()
    # The streams are judged by the real time: none of them is down.
    assert container.delivery
    container.stores.clock = clock
    usage = container.stores.usage
    clock.ahead_ms = LAPSED_AFTER_MS
    print(f"ended {container.reaper.reap()} lapsed sessions")
    clock.ahead_ms += RECONCILE_AFTER_MS + LOG_ARRIVES_MS + 60_000
    for _ in range(RUNS):
        # The follower goes on reporting the real time.
        for follower in usage.followers():
            usage.mark(follower, clock.now_ms())
        began_s = time.monotonic()
        run = container.reconciliation.run()
        print(f"{run} in {time.monotonic() - began_s:.1f} s")
        if not (run.settled or run.postponed or run.failed):
            return 0
    return MORE


if __name__ == "__main__":
    sys.exit(main())
