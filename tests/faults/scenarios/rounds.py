"""A round: a few viewers, some function instances with clocks of their own, and many moves at once, then a judgement.

The plan of a round (viewers, moves, faults, what comes between two steps of what) follows from its seed alone. With one
thread the whole run does, and repeating it repeats every step. With more threads their timing is the machine's own and
no seed can fix it: a repetition plays the same plan, but may interleave it otherwise.
"""

from __future__ import annotations

import random
import tempfile
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from chalicelib.config import Settings
from tests.faults.harness.environment import LATE_MS, SKEW_MS, Instance, Time, World
from tests.faults.harness.store_faults import Faults, Network
from tests.faults.scenarios.moves import CHANGEABLE, WEIGHTS, Move, Player, Weather, random_faults, random_move
from tests.faults.scenarios.recorder import Scene

OPENING = (0, 12_000, 33_333, 90_000, 250_000, 1_000_000, 3_000_000)
# What a day may cost at most: most viewers have no cap.
CAPS = (None, None, None, 23_000, 60_001, 200_000)
# Some rounds begin so long before a midnight.
BEFORE_MIDNIGHT_MS = (4_000, 15_000, 60_000, LATE_MS)
THREAD_S_MAX = 300
# Longer than a session may lie unpaid and the reaper may take to look at it.
LONG_AFTER_MS = 1_200_000


@dataclass(frozen=True, kw_only=True)
class Round:
    """What a round is made from; printed with every failure."""

    seed: str
    moves: int = 300
    threads: int = 1
    viewers: int = 4
    between: float = 0.2
    weather: Weather = CHANGEABLE

    def plan(
        self, thread: int, weights: dict[str, int] = WEIGHTS
    ) -> list[tuple[Move, Faults, tuple[int, Move] | None]]:
        """The moves of one thread: each with its faults and, now and then, a move between two of its steps."""
        rng = random.Random(f"{self.seed}:{thread}")
        plan: list[tuple[Move, Faults, tuple[int, Move] | None]] = []
        for _ in range(self.moves // self.threads):
            move, faults = random_move(rng, weights), random_faults(rng, self.weather)
            between = (rng.randrange(4), random_move(rng, weights)) if rng.random() < self.between else None
            plan.append((move, faults, between))
        return plan


def play(round_: Round, settings: Settings, network: Network, time: Time | None = None) -> Scene:
    """Play a round to its end and judge it; raises AssertionError with all that is broken."""
    with tempfile.TemporaryDirectory() as denylist_dir:
        scene = Scene(World(settings, network, Path(denylist_dir), time))
        rng = opened(scene, round_)
        players = [
            Player(scene, [Instance(scene.world, rng.randint(-SKEW_MS, SKEW_MS)) for _ in range(2)])
            for _ in range(round_.threads)
        ]
        run_threads([partial(play_plan, player, round_.plan(n)) for n, player in enumerate(players)])
        judge(scene)
        return scene


def opened(scene: Scene, round_: Round) -> random.Random:
    """Let the viewers in, maybe shortly before midnight; answers what goes on to choose for this round."""
    rng = random.Random(f"{round_.seed}:viewers")
    if rng.random() < 0.5:
        scene.world.time.to_midnight(rng.choice(BEFORE_MIDNIGHT_MS))
    for _ in range(round_.viewers):
        scene.viewer(rng.choice(OPENING), rng.choice(CAPS))
    return rng


def play_plan(player: Player, plan: list[tuple[Move, Faults, tuple[int, Move] | None]]) -> None:
    """One thread's moves, one after the other."""
    for move, faults, between in plan:
        if between is not None:
            at, other = between
            faults.meanwhile[at] = partial(player.play, other, Faults())
        player.play(move, faults)


def judge(scene: Scene) -> None:
    """Let everything late arrive and judge; then let the schedule clear up long after, and judge again."""
    network = scene.world.network
    network.refusing.clear()
    network.land()
    scene.check()
    scene.check_places()
    scene.world.time.advance(LONG_AFTER_MS)
    for name in ("catch_up", "reap"):
        scene.work(scene.world.observer, name)
    scene.check()
    scene.check_places()
    for viewer in scene.viewers:
        wallet = scene.world.observer.services.ledger.wallet(viewer.user_id)
        assert not wallet.sessions, f"a_lapsed_session_is_ended: {list(wallet.sessions)} [{viewer.user_id}]"


def run_threads(works: list) -> None:  # type: ignore[type-arg]
    """Run all at once, each in a thread of its own (one: in this one); raises the first error of any."""
    if len(works) == 1:
        works[0]()
        return
    errors: list[BaseException] = []

    def run(work) -> None:  # type: ignore[no-untyped-def]
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(THREAD_S_MAX)
        assert not thread.is_alive(), f"a thread did not end within {THREAD_S_MAX} s"
    if errors:
        raise errors[0]
