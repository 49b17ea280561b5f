"""Moves: what a run consists of. A move is a name and a few numbers, so that a seed or Hypothesis can make it up; what
the numbers pick depends on who is there when it is played.

To add an operation: a method of `Player` named like it, and its weight in `WEIGHTS`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.harness.drivers import HttpDoor, ServicesDoor
from tests.faults.harness.environment import SKEW_MS, Instance
from tests.faults.harness.operations import Viewer
from tests.faults.harness.store_faults import KILLS, Fault, Faults
from tests.faults.scenarios.recorder import Scene

# How often each comes, of the sum of all.
WEIGHTS = {
    "start": 14,
    "start_again": 6,
    "beat": 130,
    "stop": 7,
    "kick": 4,
    "renew": 8,
    "top_up": 10,
    "pay_again": 4,
    "pay_wrong": 2,
    "take": 4,
    "adjust": 5,
    "read": 9,
    "media": 28,
    "catch_up": 1,
    "reap": 1,
    "wait": 60,
    "step_clock": 6,
    "stall": 3,
    "deliver": 5,
    "refuse_pages": 2,
    "take_pages": 3,
    "land": 8,
}
WAITS_MS = (*(1, 700, 2_500, 4_000, 5_000, 5_300, 7_001, 9_400, 10_000) * 3, 12_000, 14_900, 15_100, 40_000, 601_000)
TOP_UPS = (1, 999, 13_000, 40_000, 120_000, 400_000)
ADJUSTS = (-1, -3_000, 1, 700, 5_000, 10_000)
# How long before a stall is reported the last playlist came.
STALLS_AGO_MS = (0, 2_500, 6_500)
TAKES = (-1, -700, -10_000, -25_000)
# The last one repeats what was sold last; the others are what confused clients send.
SEQ_STEPS = (1, 1, 1, 1, 1, 1, 3, -1, 0)
SESSIONS_AT_HAND = 4

_payments = itertools.count(1)


@dataclass(frozen=True)
class Move:
    """One thing that happens: `viewer`, `which` and `how` pick from what is there, `instance` says who handles it."""

    kind: str
    viewer: int
    which: int
    how: int
    instance: int


def random_move(rng: random.Random, weights: dict[str, int] = WEIGHTS) -> Move:
    """A move of a seed."""
    [kind] = rng.choices(list(weights), list(weights.values()))
    return Move(kind, *(rng.randrange(1_000) for _ in range(4)))


@dataclass(frozen=True)
class Weather:
    """How often a move is spared faults, and at which of its requests and writes the others are aimed."""

    calm: float
    requests: tuple[int, ...]
    writes: tuple[int, ...]


CHANGEABLE = Weather(calm=0.4, requests=(0, 0, 1, 1, 2, 3, 4), writes=(0, 0, 1, 2))
# Most moves send a request or two, so faults meet nearly every operation where they are aimed at the first.
STORM = Weather(calm=0.03, requests=(0, 0, 0, 0, 0, 1, 2), writes=(0, 0, 0, 1))


def random_faults(rng: random.Random, weather: Weather = CHANGEABLE) -> Faults:
    """Faults of a seed: none, one, or a run of them that the SDK's retries do not get over."""
    faults = Faults()
    if rng.random() < weather.calm:
        return faults
    for _ in range(rng.choice((1, 1, 2))):
        first, fault = rng.choice(weather.requests), rng.choice(list(Fault))
        if fault in KILLS:
            faults.on_write[rng.choice(weather.writes)] = fault
        else:
            faults.on_request |= dict.fromkeys(range(first, first + rng.choice((1, 1, 2, 3))), fault)
    return faults


class Player:
    """Plays moves in a scene, at one of several function instances."""

    def __init__(self, scene: Scene, instances: Sequence[Instance]) -> None:
        self.scene = scene
        self._instances = instances

    def play(self, move: Move, faults: Faults | None) -> None:
        """Make the move; what does not fit (a beat without a session) is left out."""
        getattr(self, move.kind)(move, faults)

    def start(self, move: Move, faults: Faults | None) -> None:
        viewer = self._viewer(move)
        terms = list(self.scene.world.terms.values())[move.which % len(self.scene.world.terms)]
        calm = move.how % 6 == 0
        replace = move.how % 5 == 0
        door = self._door(move, calm=calm)
        deed = self.scene.start(door, viewer, terms, replace=replace, faults=None if calm else faults)
        if calm and deed.sold:
            viewer.calm.add(deed.sold.session_id)

    def start_again(self, move: Move, faults: Faults | None) -> None:
        """One that was sent before, maybe still without an answer, maybe of a session that has ended."""
        viewer = self._viewer(move)
        before = list(viewer.of("start"))[-SESSIONS_AT_HAND:]
        if before:
            deed = before[move.which % len(before)]
            terms, replace = self.scene.world.terms[str(deed.stream_id)], move.how % 5 == 0
            self.scene.start(self._door(move), viewer, terms, replace=replace, key=str(deed.key), faults=faults)

    def beat(self, move: Move, faults: Faults | None) -> None:
        viewer = self._viewer(move)
        session_id = self._session(viewer, move)
        if session_id is None:
            # Not always, or there would be more starts than beats.
            if move.how % 3 == 0:
                self.start(move, faults)
        else:
            seq = max(1, viewer.seqs[session_id] + SEQ_STEPS[move.how % len(SEQ_STEPS)])
            calm = session_id in viewer.calm
            self.scene.beat(self._door(move, calm=calm), viewer, session_id, seq, faults=None if calm else faults)

    def stop(self, move: Move, faults: Faults | None) -> None:
        viewer = self._viewer(move)
        if session_id := self._session(viewer, move):
            calm = session_id in viewer.calm
            self.scene.stop(self._door(move, calm=calm), viewer, session_id, faults=None if calm else faults)

    def kick(self, move: Move, faults: Faults | None) -> None:
        viewer = self._viewer(move)
        if session_id := self._session(viewer, move):
            calm = session_id in viewer.calm
            self.scene.kick(self._door(move, calm=calm), viewer, session_id, faults=None if calm else faults)

    def renew(self, move: Move, faults: Faults | None) -> None:
        viewer = self._viewer(move)
        if session_id := self._session(viewer, move):
            calm = session_id in viewer.calm
            self.scene.renew(self._door(move, calm=calm), viewer, session_id, faults=None if calm else faults)

    def top_up(self, move: Move, faults: Faults | None) -> None:
        self._pay(move, faults, f"t{next(_payments)}", TOP_UPS[move.how % len(TOP_UPS)])

    def take(self, move: Move, faults: Faults | None) -> None:
        self._pay(move, faults, f"t{next(_payments)}", TAKES[move.how % len(TAKES)])

    def adjust(self, move: Move, faults: Faults | None) -> None:
        """Mostly of one that has ended, so that many meet what they may give or take; and often more than that."""
        viewer = self._viewer(move)
        sessions = [each for each in viewer.sessions if each in viewer.ended or move.how % 7 == 0][-SESSIONS_AT_HAND:]
        if sessions:
            millipoints = ADJUSTS[move.how % len(ADJUSTS)]
            session_id = sessions[move.which % len(sessions)]
            self._adjust(move, faults, session_id, f"t{next(_payments)}", millipoints)

    def pay_again(self, move: Move, faults: Faults | None) -> None:
        for payment_id, amounts in self._payment(move):
            self._pay(move, faults, payment_id, min(amounts))

    def pay_wrong(self, move: Move, faults: Faults | None) -> None:
        for payment_id, amounts in self._payment(move):
            self._pay(move, faults, payment_id, max(amounts) + 7)

    def read(self, move: Move, faults: Faults | None) -> None:
        self.scene.read(self._instance(move), self._viewer(move), faults=faults)

    def media(self, move: Move, faults: Faults | None) -> None:
        viewer = self._viewer(move)
        if session_id := self._session(viewer, move):
            faults = None if session_id in viewer.calm else faults
            self.scene.media(self._instance(move), viewer, session_id, faults=faults)

    def catch_up(self, move: Move, faults: Faults | None) -> None:
        self.scene.work(self._instance(move), "catch_up", faults=faults)

    def reap(self, move: Move, faults: Faults | None) -> None:
        self.scene.work(self._instance(move), "reap", faults=faults)

    def wait(self, move: Move, faults: Faults | None) -> None:
        self.scene.world.time.advance(WAITS_MS[move.how % len(WAITS_MS)])

    def step_clock(self, move: Move, faults: Faults | None) -> None:
        """The clock of an instance is set, forward or back."""
        self._instance(move).offset_ms = move.how * 7 % (2 * SKEW_MS + 1) - SKEW_MS

    def stall(self, move: Move, faults: Faults | None) -> None:
        self._deliver(move, False)

    def deliver(self, move: Move, faults: Faults | None) -> None:
        self._deliver(move, True)

    def refuse_pages(self, move: Move, faults: Faults | None) -> None:
        """The table of pages takes no writes for a while, so journals grow."""
        self.scene.world.network.refusing.add("ledger")

    def take_pages(self, move: Move, faults: Faults | None) -> None:
        self.scene.world.network.refusing.discard("ledger")

    def land(self, move: Move, faults: Faults | None) -> None:
        """Some of what was late arrives."""
        self.scene.world.network.land(1 + move.how % 3)

    def _viewer(self, move: Move) -> Viewer:
        return self.scene.viewers[move.viewer % len(self.scene.viewers)]

    def _instance(self, move: Move) -> Instance:
        return self._instances[move.instance % len(self._instances)]

    def _door(self, move: Move, *, calm: bool = False) -> HttpDoor | ServicesDoor:
        """How this move's request reaches the product; a calm session's meets no fault on its way."""
        return ServicesDoor(self._instance(move))

    @staticmethod
    def _session(viewer: Viewer, move: Move) -> str | None:
        # Mostly one that goes on as far as its viewer knows; now and then one that has ended.
        sessions = [each for each in viewer.sessions if each not in viewer.ended or move.how % 7 == 0]
        sessions = sessions[-SESSIONS_AT_HAND:]
        return sessions[move.which % len(sessions)] if sessions else None

    def _payment(self, move: Move) -> list[tuple[str, set[int]]]:
        known = list(self._viewer(move).payments.items())
        return [known[move.which % len(known)]] if known else []

    def _adjust(self, move: Move, faults: Faults | None, session_id: str, payment_id: str, millipoints: int) -> None:
        viewer = self._viewer(move)
        calm = session_id in viewer.calm
        door, faults = self._door(move, calm=calm), None if calm else faults
        self.scene.adjust(door, viewer, session_id, payment_id, millipoints, faults=faults)

    def _pay(self, move: Move, faults: Faults | None, payment_id: str, millipoints: int) -> None:
        session_id = self._viewer(move).adjusted.get(payment_id)
        if session_id is not None:
            return self._adjust(move, faults, session_id, payment_id, millipoints)
        return self.scene.pay(self._door(move), self._viewer(move), payment_id, millipoints, faults=faults)

    def _deliver(self, move: Move, on: bool) -> None:
        world = self.scene.world
        down = [name for name, downs in world.outages.items() if downs[-1].until_ms is None]
        streams = down if on else list(world.terms)
        if streams:
            world.deliver(streams[move.which % len(streams)], on, STALLS_AGO_MS[move.how % len(STALLS_AGO_MS)])
