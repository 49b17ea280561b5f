"""At least a hundred thousand operations under faults: `make soak`, or a part of it again with `SEED=… ROUNDS=…`.

Rounds of three kinds by turns: alone (every step follows from the seed), from several threads, and over HTTP (of these
the plan follows from the seed, the timing does not). A round that breaks an invariant is printed with the command that
plays it again; at the end come the counts, and 1 as exit status if anything broke.
"""

import argparse
import random
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from chalicelib import config
from infra import migrations
from tests.faults.faults import faulty_network
from tests.faults.functions import FileTime, Functions, running
from tests.faults.http_rounds import play_http
from tests.faults.judging import checked
from tests.faults.rounds import Round, play
from tests.faults.scene import Scene
from tests.fixtures.emulator import Emulator, point_at, start_emulator

OPERATIONS = 100_000
MOVES = 600
VIEWERS = 6
THREADS = 4
# Every so many rounds one goes over HTTP.
HTTP_EVERY = 12
PROGRESS_S = 5.0
# The reaper and the catch-up look through a whole stage, so a stage is left before it has grown large.
ROUNDS_PER_STAGE = 25


@dataclass
class Totals:
    """What was done so far."""

    operations: Counter[str] = field(default_factory=Counter)
    faulted: int = 0
    rounds: int = 0
    broken: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, scene: Scene) -> None:
        self.operations += scene.operations
        self.faulted += scene.faulted


def round_of(seed: int, number: int, moves: int = MOVES) -> Round:
    """A round by its number: the kind follows from it too."""
    threads = 1 if number % 2 and not over_http(number) else THREADS
    between = 0.0 if over_http(number) else 0.2
    return Round(seed=f"{seed}:{number}", moves=moves, viewers=VIEWERS, threads=threads, between=between)


def over_http(number: int) -> bool:
    """Whether a round goes over HTTP."""
    return number % HTTP_EVERY == HTTP_EVERY - 1


def command(seed: int, number: int, moves: int = MOVES) -> str:
    """What plays one round again."""
    return f"make soak SEED={seed} ROUNDS={number}:{number + 1}" + (f" MOVES={moves}" if moves != MOVES else "")


def main() -> int:
    """Play rounds until there were enough operations."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--operations", type=int, default=OPERATIONS)
    parser.add_argument("--rounds", default="", help="first:end, for instance 17:18")
    parser.add_argument("--moves", type=int, default=MOVES, help="in a round")
    arguments = parser.parse_args()
    seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    first, end = (int(each) for each in arguments.rounds.split(":")) if arguments.rounds else (0, 10**9)
    # So that the emulator and the functions are ended with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Only for what is outside of a plan, for instance the shards that sessions are spread over.
    random.seed(seed)
    print(f"seed {seed}", flush=True)
    totals, began_s = Totals(), time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        emulator = start_emulator(Path(directory))
        try:
            for number in range(first, end, ROUNDS_PER_STAGE):
                play_stage(emulator, seed, range(number, min(number + ROUNDS_PER_STAGE, end)), arguments, totals)
                if totals.operations.total() >= arguments.operations and not arguments.rounds:
                    break
        finally:
            emulator.stop()
    report(seed, totals, time.monotonic() - began_s)
    return 1 if totals.broken else 0


def play_stage(emulator: Emulator, seed: int, numbers: range, arguments: argparse.Namespace, totals: Totals) -> None:
    """Some rounds in a stage of their own."""
    shown_s = 0.0
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        point_at(emulator, patch, stage="t" + secrets.token_hex(4))
        migrations.apply(config.load())
        network = stack.enter_context(faulty_network())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = replace(config.load(), denylist_dir=directory / "denylist")
        api: tuple[Functions, FileTime] | None = None
        for number in numbers:
            if api is None and over_http(number):
                api = stack.enter_context(running(directory, directory / "denylist"))
            try:
                if api is not None and over_http(number):
                    totals.add(play_http(round_of(seed, number, arguments.moves), settings, network, *api))
                else:
                    totals.add(play(round_of(seed, number, arguments.moves), settings, network))
            except AssertionError as broken:
                totals.broken.append(f"{broken}\n  again: {command(seed, number, arguments.moves)}")
                print(f"round {number} BROKEN: {totals.broken[-1]}", flush=True)
            totals.rounds += 1
            if time.monotonic() - shown_s > PROGRESS_S:
                shown_s = time.monotonic()
                done = totals.operations.total()
                print(f"round {number}: {done:,} operations, {len(totals.broken)} rounds broken", flush=True)
            if totals.operations.total() >= arguments.operations and not arguments.rounds:
                break
        totals.faults += network.counts


def report(seed: int, totals: Totals, seconds: float) -> None:
    """Everything that was counted."""
    print(f"\nseed {seed}: {totals.rounds} rounds in {seconds:.0f} s")
    print(f"operations under faults: {totals.operations.total():,}, of which met a fault: {totals.faulted:,}")
    for name, counts in (("operations", totals.operations), ("faults", totals.faults), ("invariants", checked)):
        print(f"\n{name}:")
        for each, count in counts.most_common():
            print(f"  {count:9,}  {each}")
    print(f"\nviolations: {len(totals.broken)}")
    for broken in totals.broken:
        print(broken)


if __name__ == "__main__":
    sys.exit(main())
