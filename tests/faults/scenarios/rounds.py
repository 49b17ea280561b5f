"""Rounds: random moves of a few viewers on several function instances, then a check of all invariants.

The plan of a round follows from its seed. With one thread every step does, too. With more threads a repetition has the
same plan but perhaps another order.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from chalicelib.config import Settings
from chalicelib.domain.money.settlement import awaits_settlement
from tests.faults.harness.environment import DELAY_MS_MAX, SKEW_MS, Environment, FunctionInstance, TrueTime
from tests.faults.harness.gateway import LOG_ARRIVES_MS
from tests.faults.harness.store_faults import FaultPlan, Network
from tests.faults.harness.threads import Threads
from tests.faults.oracle.money_totals import check_totals
from tests.faults.scenarios.moves import MODERATE, WEIGHTS, FaultMix, Move, MoveRunner, random_faults, random_move
from tests.faults.scenarios.recorder import Recorder

OPENING = (0, 12_000, 33_333, 90_000, 250_000, 1_000_000, 3_000_000)
# Daily caps; most viewers have none.
CAPS = (None, None, None, 23_000, 60_001, 200_000)
# The stage's rules of credits: whether there are any, and how many points a day.
CREDIT_RULES = ((True, 0), (True, 0), (True, 7), (True, 25), (False, 0))
# Some rounds begin this long before midnight.
BEFORE_MIDNIGHT_MS = (4_000, 15_000, 60_000, DELAY_MS_MAX)
THREAD_S_MAX = 300
# After this time the reaper ends every session.
LONG_AFTER_MS = 1_200_000
# Moves, each with its faults and perhaps a move between two of its steps.
Plan = list[tuple[Move, FaultPlan, tuple[int, Move] | None]]


@dataclass(frozen=True, kw_only=True)
class Round:
    """The parameters of a round."""

    seed: str
    moves: int = 300
    threads: int = 1
    viewers: int = 4
    between: float = 0.2
    fault_mix: FaultMix = MODERATE

    def settings(self, settings: Settings) -> Settings:
        """Return the settings of the round's stage."""
        credits_on, per_day = random.Random(f"{self.seed}:rules").choice(CREDIT_RULES)
        return replace(settings, settlement_credits=credits_on, settlement_credits_per_day=per_day)

    def plan(self, thread: int, weights: dict[str, int] = WEIGHTS) -> Plan:
        """Return the moves of a thread."""
        rng = random.Random(f"{self.seed}:{thread}")
        plan: Plan = []
        for _ in range(self.moves // self.threads):
            move, faults = random_move(rng, weights), random_faults(rng, self.fault_mix)
            between = (rng.randrange(4), random_move(rng, weights)) if rng.random() < self.between else None
            plan.append((move, faults, between))
        return plan


def play_round(round_: Round, settings: Settings, network: Network, time: TrueTime | None = None) -> Recorder:
    """Play a round and check it. Raise `AssertionError` with all violations."""
    with tempfile.TemporaryDirectory() as denylist_dir:
        recorder = Recorder(Environment(round_.settings(settings), network, Path(denylist_dir), time))
        rng = add_viewers(recorder, round_)
        runners = [
            MoveRunner(
                recorder, [FunctionInstance(recorder.environment, rng.randint(-SKEW_MS, SKEW_MS)) for _ in range(2)]
            )
            for _ in range(round_.threads)
        ]
        run_tasks([partial(run_plan, runner, round_.plan(n)) for n, runner in enumerate(runners)])
        verify(recorder)
        return recorder


def add_viewers(recorder: Recorder, round_: Round) -> random.Random:
    """Add the viewers, perhaps shortly before midnight. Returns the random numbers of the round."""
    rng = random.Random(f"{round_.seed}:viewers")
    if rng.random() < 0.5:
        recorder.environment.time.to_midnight(rng.choice(BEFORE_MIDNIGHT_MS))
    for _ in range(round_.viewers):
        recorder.viewer(rng.choice(OPENING), rng.choice(CAPS))
    return rng


def run_plan(runner: MoveRunner, plan: Plan) -> None:
    """Run the moves of one thread."""
    for move, faults, between in plan:
        if between is not None:
            at, other = between
            faults.before_request[at] = partial(runner.run, other, FaultPlan())
        runner.run(move, faults)


def verify(recorder: Recorder) -> None:
    """Check after all late requests have arrived, and again long after, when scheduled tasks have run."""
    network = recorder.environment.network
    network.throttled_tables.clear()
    network.deliver_late()
    recorder.check()
    recorder.check_places()
    recorder.environment.time.advance(LONG_AFTER_MS)
    for name in ("catch_up", "reap"):
        recorder.work(recorder.environment.observer, name)
    recorder.check()
    recorder.check_places()
    for how in range(2):
        # Some ended just now. Then all of them are settled.
        recorder.environment.time.advance(2 * LOG_ARRIVES_MS)
        recorder.report_log(how)
        recorder.work(recorder.environment.observer, "reconcile")
    recorder.check()
    for viewer in recorder.viewers:
        waiting = [record for record in recorder.records(viewer) if awaits_settlement(record)]
        assert not waiting, f"every_session_is_settled: {waiting} [{viewer.user_id}]"
        wallet = recorder.environment.observer.services.ledger.wallet(viewer.user_id)
        assert not wallet.sessions, f"a_lapsed_session_is_ended: {list(wallet.sessions)} [{viewer.user_id}]"
    check_totals(recorder.environment.observer.services)


def run_tasks(tasks: list[Callable[[], object]]) -> None:
    """Run each task in a thread, or a single one in this thread. Raises the first error."""
    if len(tasks) == 1:
        tasks[0]()
    else:
        Threads(tasks).join(THREAD_S_MAX)
