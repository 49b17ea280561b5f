"""Moves: the steps of a random run.

A move is a name and some numbers, so that a seed or Hypothesis can generate it. The numbers pick viewers and sessions
when the move runs. A new operation needs a method of `MoveRunner` with its name, and a weight in `WEIGHTS`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.harness.drivers import HttpDriver, ServicesDriver
from tests.faults.harness.environment import SKEW_MS, FunctionInstance
from tests.faults.harness.operations import Viewer
from tests.faults.harness.store_faults import KILLS, Fault, FaultPlan
from tests.faults.scenarios.recorder import Recorder

# How often each move comes, relative to the sum.
WEIGHTS = {
    "start": 14,
    "repeat_start": 6,
    "beat": 130,
    "stop": 7,
    "kick": 4,
    "renew": 8,
    "top_up": 16,
    "repeat_payment": 4,
    "change_payment": 2,
    "take_back": 4,
    "take_all": 3,
    "reverse": 4,
    "adjust": 5,
    "read": 9,
    "media": 28,
    "catch_up": 1,
    "reap": 1,
    "reconcile": 12,
    "reconcile_unread": 2,
    "erase": 1,
    "wait": 60,
    "step_clock": 6,
    "stall": 3,
    "end_stall": 5,
    "throttle_pages": 2,
    "accept_pages": 3,
    "deliver_late": 8,
}
WAITS_MS = (*(1, 700, 2_500, 4_000, 5_000, 5_300, 7_001, 9_400, 10_000) * 3, 12_000, 14_900, 15_100, 40_000, 601_000)
TOP_UPS = (1, 999, 13_000, 40_000, 120_000, 400_000)
ADJUSTS = (-1, -3_000, 1, 700, 5_000, 10_000)
# The age of the last playlist when a stall is reported.
STALLS_AGO_MS = (0, 2_500, 6_500)
TAKES = (-1, -700, -10_000, -25_000)
# 0 repeats the last lease; 3 and -1 are from confused clients.
SEQ_STEPS = (1, 1, 1, 1, 1, 1, 3, -1, 0)
SESSIONS_AT_HAND = 4
# A run of settlements reads the followers and eight shards, and then the first session.
RUN_READS = 10

_payments = itertools.count(1)


@dataclass(frozen=True)
class Move:
    """A step. `viewer`, `which` and `how` pick from what exists; `instance` picks the function instance."""

    kind: str
    viewer: int
    which: int
    how: int
    instance: int


def random_move(rng: random.Random, weights: dict[str, int] = WEIGHTS) -> Move:
    [kind] = rng.choices(list(weights), list(weights.values()))
    return Move(kind, *(rng.randrange(1_000) for _ in range(4)))


@dataclass(frozen=True)
class FaultMix:
    """The share of moves without faults, and the requests and writes that the other faults hit."""

    fault_free: float
    requests: tuple[int, ...]
    writes: tuple[int, ...]


MODERATE = FaultMix(fault_free=0.4, requests=(0, 0, 1, 1, 2, 3, 4), writes=(0, 0, 1, 2))
# Most moves send one or two requests, so faults in the first hit nearly every operation.
HEAVY = FaultMix(fault_free=0.03, requests=(0, 0, 0, 0, 0, 1, 2), writes=(0, 0, 0, 1))


def random_faults(rng: random.Random, fault_mix: FaultMix = MODERATE) -> FaultPlan:
    """Return random faults: none, one, or more in a row than the SDK retries."""
    faults = FaultPlan()
    if rng.random() < fault_mix.fault_free:
        return faults
    for _ in range(rng.choice((1, 1, 2))):
        first, fault = rng.choice(fault_mix.requests), rng.choice(list(Fault))
        if fault in KILLS:
            faults.on_write[rng.choice(fault_mix.writes)] = fault
        else:
            faults.on_request |= dict.fromkeys(range(first, first + rng.choice((1, 1, 2, 3))), fault)
    return faults


class MoveRunner:
    """A runner of moves on several function instances."""

    def __init__(self, recorder: Recorder, instances: Sequence[FunctionInstance]) -> None:
        self.recorder = recorder
        self._instances = instances

    def run(self, move: Move, faults: FaultPlan | None) -> None:
        """Run a move, or nothing if it does not fit: a stop without a session."""
        getattr(self, move.kind)(move, faults)

    def start(self, move: Move, faults: FaultPlan | None) -> None:
        viewer = self._viewer(move)
        terms = list(self.recorder.environment.terms.values())[move.which % len(self.recorder.environment.terms)]
        fault_free = move.how % 6 == 0
        replace = move.how % 5 == 0
        driver = self._driver(move, fault_free=fault_free)
        operation = self.recorder.start(driver, viewer, terms, replace=replace, faults=None if fault_free else faults)
        if fault_free and operation.lease:
            viewer.fault_free.add(operation.lease.session_id)

    def repeat_start(self, move: Move, faults: FaultPlan | None) -> None:
        """Repeat an earlier start, perhaps one without an answer or of an ended session."""
        viewer = self._viewer(move)
        before = list(viewer.of("start"))[-SESSIONS_AT_HAND:]
        if before:
            operation = before[move.which % len(before)]
            terms, replace = self.recorder.environment.terms[str(operation.stream_id)], move.how % 5 == 0
            self.recorder.start(
                self._driver(move), viewer, terms, replace=replace, key=str(operation.key), faults=faults
            )

    def beat(self, move: Move, faults: FaultPlan | None) -> None:
        viewer = self._viewer(move)
        session_id = self._session(viewer, move)
        if session_id is None:
            # Only sometimes, or there would be more starts than beats.
            if move.how % 3 == 0:
                self.start(move, faults)
        else:
            seq = max(1, viewer.seqs[session_id] + SEQ_STEPS[move.how % len(SEQ_STEPS)])
            driver, faults = self._route(move, viewer, session_id, faults)
            self.recorder.beat(driver, viewer, session_id, seq, faults=faults)

    def stop(self, move: Move, faults: FaultPlan | None) -> None:
        """Send a stop, a kick or a renewal."""
        viewer = self._viewer(move)
        if session_id := self._session(viewer, move):
            driver, faults = self._route(move, viewer, session_id, faults)
            self.recorder.send(move.kind, driver, viewer, session_id, faults=faults)

    kick = renew = stop

    def top_up(self, move: Move, faults: FaultPlan | None) -> None:
        self._pay(move, faults, f"t{next(_payments)}", TOP_UPS[move.how % len(TOP_UPS)])

    def take_back(self, move: Move, faults: FaultPlan | None) -> None:
        self._pay(move, faults, f"t{next(_payments)}", TAKES[move.how % len(TAKES)])

    def take_all(self, move: Move, faults: FaultPlan | None) -> None:
        """Empty the balance, so that a settlement may become a debt."""
        viewer, environment = self._viewer(move), self.recorder.environment
        with environment.network.injecting(None):
            balance = environment.observer.services.ledger.wallet(viewer.user_id).balance_millipoints
        if balance:
            self._pay(move, faults, f"t{next(_payments)}", -balance)

    def adjust(self, move: Move, faults: FaultPlan | None) -> None:
        """Adjust a session, mostly an ended one, often by more than its bounds allow."""
        viewer = self._viewer(move)
        sessions = [each for each in viewer.sessions if each in viewer.ended or move.how % 7 == 0][-SESSIONS_AT_HAND:]
        if sessions:
            millipoints = ADJUSTS[move.how % len(ADJUSTS)]
            session_id = sessions[move.which % len(sessions)]
            self._adjust(move, faults, session_id, f"t{next(_payments)}", millipoints)

    def repeat_payment(self, move: Move, faults: FaultPlan | None) -> None:
        for payment_id, amounts in self._payment(move):
            self._pay(move, faults, payment_id, min(amounts))

    def change_payment(self, move: Move, faults: FaultPlan | None) -> None:
        for payment_id, amounts in self._payment(move):
            self._pay(move, faults, payment_id, max(amounts) + 7)

    def reverse(self, move: Move, faults: FaultPlan | None) -> None:
        """Reverse a payment, perhaps one that was reversed, was refused or took points."""
        for payment_id, _ in self._payment(move):
            self.recorder.reverse(self._driver(move), self._viewer(move), payment_id, faults=faults)

    def read(self, move: Move, faults: FaultPlan | None) -> None:
        self.recorder.read(self._instance(move), self._viewer(move), faults=faults)

    def media(self, move: Move, faults: FaultPlan | None) -> None:
        viewer = self._viewer(move)
        if session_id := self._session(viewer, move):
            faults = None if session_id in viewer.fault_free else faults
            self.recorder.media(self._instance(move), viewer, session_id, faults=faults)

    def catch_up(self, move: Move, faults: FaultPlan | None) -> None:
        self.recorder.work(self._instance(move), move.kind, faults=faults)

    reap = catch_up

    def reconcile(self, move: Move, faults: FaultPlan | None) -> None:
        """Report the gateway's log, and settle what is due. A run first reads what is due, so faults come later."""
        self.recorder.report_log(move.how)
        if faults is not None:
            before_request = {RUN_READS + 2 * at: act for at, act in faults.before_request.items()}
            faults = FaultPlan(
                on_write=faults.on_write, on_transaction=faults.on_request, before_request=before_request
            )
        self.recorder.work(self._instance(move), move.kind, faults=faults)

    def reconcile_unread(self, move: Move, faults: FaultPlan | None) -> None:
        """Settle what is due, of whose log nothing new was read."""
        self.recorder.work(self._instance(move), "reconcile", faults=faults)

    def erase(self, move: Move, faults: FaultPlan | None) -> None:
        """Erase the account of a viewer, seldom."""
        if move.how % 5 == 0:
            self.recorder.erase(self._driver(move), self._viewer(move), faults=faults)

    def wait(self, move: Move, faults: FaultPlan | None) -> None:
        self.recorder.environment.time.advance(WAITS_MS[move.how % len(WAITS_MS)])

    def step_clock(self, move: Move, faults: FaultPlan | None) -> None:
        """Set the clock of an instance forward or back."""
        self._instance(move).offset_ms = move.how * 7 % (2 * SKEW_MS + 1) - SKEW_MS

    def stall(self, move: Move, faults: FaultPlan | None) -> None:
        """Report a stream as stalled, or as live again."""
        environment, is_end = self.recorder.environment, move.kind == "end_stall"
        down = [name for name, outages in environment.outages.items() if outages[-1].until_ms is None]
        streams = down if is_end else list(environment.terms)
        if streams:
            ago_ms = STALLS_AGO_MS[move.how % len(STALLS_AGO_MS)]
            environment.report_stream(streams[move.which % len(streams)], is_end, ago_ms)

    end_stall = stall

    def throttle_pages(self, move: Move, faults: FaultPlan | None) -> None:
        """Throttle the table of pages, so that journals grow."""
        self.recorder.environment.network.throttled_tables.add("ledger")

    def accept_pages(self, move: Move, faults: FaultPlan | None) -> None:
        self.recorder.environment.network.throttled_tables.discard("ledger")

    def deliver_late(self, move: Move, faults: FaultPlan | None) -> None:
        self.recorder.environment.network.deliver_late(1 + move.how % 3)

    def _viewer(self, move: Move) -> Viewer:
        return self.recorder.viewers[move.viewer % len(self.recorder.viewers)]

    def _instance(self, move: Move) -> FunctionInstance:
        return self._instances[move.instance % len(self._instances)]

    def _driver(self, move: Move, *, fault_free: bool = False) -> HttpDriver | ServicesDriver:
        """Return the driver of a move. Requests of fault-free sessions meet no HTTP fault."""
        return ServicesDriver(self._instance(move))

    def _route(
        self, move: Move, viewer: Viewer, session_id: str, faults: FaultPlan | None
    ) -> tuple[HttpDriver | ServicesDriver, FaultPlan | None]:
        fault_free = session_id in viewer.fault_free
        return self._driver(move, fault_free=fault_free), None if fault_free else faults

    @staticmethod
    def _session(viewer: Viewer, move: Move) -> str | None:
        # Mostly an active session, as far as the viewer knows; sometimes an ended one.
        sessions = [each for each in viewer.sessions if each not in viewer.ended or move.how % 7 == 0]
        sessions = sessions[-SESSIONS_AT_HAND:]
        return sessions[move.which % len(sessions)] if sessions else None

    def _payment(self, move: Move) -> list[tuple[str, set[int]]]:
        known = list(self._viewer(move).payments.items())
        return [known[move.which % len(known)]] if known else []

    def _adjust(self, move: Move, faults: FaultPlan | None, session_id: str, payment_id: str, millipoints: int) -> None:
        viewer = self._viewer(move)
        driver, faults = self._route(move, viewer, session_id, faults)
        self.recorder.adjust(driver, viewer, session_id, payment_id, millipoints, faults=faults)

    def _pay(self, move: Move, faults: FaultPlan | None, payment_id: str, millipoints: int) -> None:
        session_id = self._viewer(move).adjusted.get(payment_id)
        if session_id is not None:
            return self._adjust(move, faults, session_id, payment_id, millipoints)
        return self.recorder.pay(self._driver(move), self._viewer(move), payment_id, millipoints, faults=faults)
