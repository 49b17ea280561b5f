"""At least a hundred thousand operations that met a fault: `make soak`, or a part of it again with `SEED=… ROUNDS=…`.

Rounds of three kinds by turns: alone (every step follows from the seed), from several threads, and over HTTP (of these
the plan follows from the seed, the timing does not), most of them in a storm of faults. A round that breaks an
invariant is printed with the command that plays it again; at the end come the counts, and 1 as exit status if anything
broke.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
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
from typing import Any

import pytest

from chalicelib import config
from infra import migrations
from tests.faults.harness.api_server import FileTime, Functions, running
from tests.faults.harness.store_faults import faulty_network
from tests.faults.oracle.registry import checked
from tests.faults.scenarios.http_rounds import play_http
from tests.faults.scenarios.moves import CHANGEABLE, STORM
from tests.faults.scenarios.rounds import Round, play
from tests.fixtures.emulator import Emulator, point_at, start_emulator

OPERATIONS = 100_000
MOVES = 600
VIEWERS = 6
THREADS = 4
# Every so many rounds one goes over HTTP, and one is in changeable weather: where most operations fail, some things
# that come of many that succeed are seen more rarely.
HTTP_EVERY = 12
CHANGEABLE_EVERY = 5
PROGRESS_S = 5.0
# The reaper and the catch-up look through a whole stage, so a stage is left before it has grown large.
ROUNDS_PER_STAGE = HTTP_EVERY
ROUNDS_MAX = 12_000
# No round takes this long; a process that is silent for longer has died.
ROUND_S_MAX = 900.0


@dataclass
class Totals:
    """What was done so far."""

    operations: Counter[str] = field(default_factory=Counter)
    faulted: int = 0
    rounds: int = 0
    broken: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    invariants: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: Totals) -> Totals:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self


def round_of(seed: int, number: int, moves: int = MOVES) -> Round:
    """A round by its number: the kind follows from it too."""
    threads = 1 if number % 2 and not over_http(number) else THREADS
    between = 0.0 if over_http(number) else 0.2
    weather = STORM if number % CHANGEABLE_EVERY else CHANGEABLE
    return Round(
        seed=f"{seed}:{number}", moves=moves, viewers=VIEWERS, threads=threads, between=between, weather=weather
    )


def over_http(number: int) -> bool:
    """Whether a round goes over HTTP."""
    return number % HTTP_EVERY == HTTP_EVERY - 1


def command(seed: int, number: int, moves: int = MOVES) -> str:
    """What plays one round again."""
    return f"make soak SEED={seed} ROUNDS={number}:{number + 1}" + (f" MOVES={moves}" if moves != MOVES else "")


def main() -> int:
    """Play rounds, side by side on all processors, until enough operations have met a fault."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--operations", type=int, default=OPERATIONS, help="so many must have met a fault")
    parser.add_argument("--rounds", default="", help="first:end, for instance 17:18")
    parser.add_argument("--moves", type=int, default=MOVES, help="in a round")
    arguments = parser.parse_args()
    seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"seed {seed}", flush=True)
    began_s = time.monotonic()
    if arguments.rounds:
        first, end = (int(each) for each in arguments.rounds.split(":"))
        stages, enough = [range(first, end)], 10**9
    else:
        stages = [range(n, n + ROUNDS_PER_STAGE) for n in range(0, ROUNDS_MAX, ROUNDS_PER_STAGE)]
        enough = arguments.operations
    totals = played(seed, stages, arguments.moves, enough)
    report(seed, totals, time.monotonic() - began_s)
    return 1 if totals.broken else 0


def played(seed: int, stages: list[range], moves: int, enough: int) -> Totals:
    """Play stages in as many processes as there are processors, until enough operations have met a fault."""
    spawn = multiprocessing.get_context("spawn")
    stop, results = spawn.Event(), spawn.Queue()
    jobs = min(os.cpu_count() or 1, len(stages))
    # Daemons, so that none outlives this process, however it ends.
    workers = [
        spawn.Process(target=work, args=(seed, stages[job::jobs], moves, stop, results), daemon=True)
        for job in range(jobs)
    ]
    for worker in workers:
        worker.start()
    totals, working, shown_s = Totals(), jobs, time.monotonic()
    while working:
        done = results.get(timeout=ROUND_S_MAX)
        if done is None:
            working -= 1
            continue
        totals += done
        for broken in done.broken:
            print(f"BROKEN: {broken}", flush=True)
        if totals.faulted >= enough:
            stop.set()
        if time.monotonic() - shown_s > PROGRESS_S:
            shown_s = time.monotonic()
            print(
                f"{totals.rounds} rounds: {totals.operations.total():,} operations, {totals.faulted:,} met a fault, "
                f"{len(totals.broken)} rounds broken",
                flush=True,
            )
    for worker in workers:
        worker.join(ROUND_S_MAX)
    return totals


def work(seed: int, stages: list[range], moves: int, stop: Any, results: Any) -> None:
    """What one process does: its stages, on an emulator of its own. Puts totals of each round, at the end None."""
    # So that the emulator and the functions are ended with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Only for what is outside of a plan, for instance the shards that sessions are spread over.
    random.seed(f"{seed}:{stages[0].start}")
    try:
        with tempfile.TemporaryDirectory() as directory:
            emulator = start_emulator(Path(directory))
            try:
                for numbers in stages:
                    play_stage(emulator, seed, numbers, moves, stop, results)
                    if stop.is_set():
                        break
            finally:
                emulator.stop()
    finally:
        results.put(None)


def play_stage(emulator: Emulator, seed: int, numbers: range, moves: int, stop: Any, results: Any) -> None:
    """Some rounds in a stage of their own."""
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
            totals = Totals(rounds=1)
            try:
                round_ = round_of(seed, number, moves)
                http = api is not None and over_http(number)
                scene = play_http(round_, settings, network, *api) if api and http else play(round_, settings, network)
                totals.operations, totals.faulted = scene.operations, scene.faulted
            except AssertionError as broken:
                totals.broken.append(f"{broken}\n  again: {command(seed, number, moves)}")
            totals.faults, totals.invariants = Counter(network.counts), Counter(checked)
            network.counts.clear()
            checked.clear()
            results.put(totals)
            if stop.is_set():
                return


def report(seed: int, totals: Totals, seconds: float) -> None:
    """Everything that was counted."""
    print(f"\nseed {seed}: {totals.rounds} rounds in {seconds:.0f} s")
    print(f"operations under faults: {totals.operations.total():,}, of which met a fault: {totals.faulted:,}")
    for name, counts in (
        ("operations", totals.operations),
        ("faults", totals.faults),
        ("invariants", totals.invariants),
    ):
        print(f"\n{name}:")
        for each, count in counts.most_common():
            print(f"  {count:9,}  {each}")
    print(f"\nviolations: {len(totals.broken)}")
    for broken in totals.broken:
        print(broken)


if __name__ == "__main__":
    sys.exit(main())
