"""Run operations under faults until 100,000 of them met one.

Rounds have one thread (each step follows from the seed), several threads, or go over HTTP (only their plan follows
from the seed). A round with a violation is printed with the command that repeats it. The status is 0 if there is none.
"""

from __future__ import annotations

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
from tests.faults.harness.api_server import ApiServer, FileTime, running_api
from tests.faults.harness.command_line import command_parser, print_start
from tests.faults.harness.store_faults import faulty_network
from tests.faults.oracle.registry import check_counts
from tests.faults.scenarios.http_rounds import play_http_round
from tests.faults.scenarios.moves import HEAVY, MODERATE
from tests.faults.scenarios.rounds import Round, play_round
from tests.fixtures.emulator import Emulator, point_at, start_emulator

OPERATIONS = 100_000
MOVES = 600
VIEWERS = 6
THREADS = 4
# One round in so many goes over HTTP, and one has moderate faults: where most operations fail, states that need many
# successes are rare.
HTTP_EVERY = 12
MODERATE_EVERY = 5
PROGRESS_S = 5.0
# The reaper and the catch-up read a whole stage, so a stage has few rounds.
ROUNDS_PER_STAGE = HTTP_EVERY
ROUNDS_MAX = 12_000
# A process without results for this long has died.
ROUND_S_MAX = 900.0


@dataclass
class Totals:
    """The counts so far."""

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
    """Return a round by its number, which gives its kind, too."""
    threads = 1 if number % 2 and not over_http(number) else THREADS
    between = 0.0 if over_http(number) else 0.2
    fault_mix = HEAVY if number % MODERATE_EVERY else MODERATE
    return Round(
        seed=f"{seed}:{number}", moves=moves, viewers=VIEWERS, threads=threads, between=between, fault_mix=fault_mix
    )


def over_http(number: int) -> bool:
    return number % HTTP_EVERY == HTTP_EVERY - 1


def repeat_command(seed: int, number: int, moves: int = MOVES) -> str:
    return f"make soak SEED={seed} ROUNDS={number}:{number + 1}" + (f" MOVES={moves}" if moves != MOVES else "")


def main() -> int:
    parser = command_parser("make soak", __doc__)
    parser.add_argument("--operations", type=int, default=OPERATIONS, help="operations that have to meet a fault")
    parser.add_argument("--rounds", default="", help="first:end, for instance 17:18")
    parser.add_argument("--moves", type=int, default=MOVES, help="moves of a round")
    arguments = parser.parse_args()
    seed = arguments.seed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print_start(seed)
    began_s = time.monotonic()
    if arguments.rounds:
        first, end = (int(each) for each in arguments.rounds.split(":"))
        stages, enough = [range(first, end)], 10**9
    else:
        stages = [range(n, n + ROUNDS_PER_STAGE) for n in range(0, ROUNDS_MAX, ROUNDS_PER_STAGE)]
        enough = arguments.operations
    totals = run_rounds(seed, stages, arguments.moves, enough)
    report(seed, totals, time.monotonic() - began_s)
    return 1 if totals.broken else 0


def run_rounds(seed: int, stages: list[range], moves: int, enough: int) -> Totals:
    """Run stages on all processors, until enough operations have met a fault."""
    spawn = multiprocessing.get_context("spawn")
    stop, results = spawn.Event(), spawn.Queue()
    jobs = min(os.cpu_count() or 1, len(stages))
    # Daemons end with this process.
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
    """Run the stages of one process on its own emulator. Puts the totals of each round, and None at the end."""
    # SIGTERM also ends the emulator and the API.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # For random choices outside of a plan, such as the shards of sessions.
    random.seed(f"{seed}:{stages[0].start}")
    try:
        with tempfile.TemporaryDirectory() as directory:
            emulator = start_emulator(Path(directory))
            try:
                for numbers in stages:
                    run_stage(emulator, seed, numbers, moves, stop, results)
                    if stop.is_set():
                        break
            finally:
                emulator.stop()
    finally:
        results.put(None)


def run_stage(emulator: Emulator, seed: int, numbers: range, moves: int, stop: Any, results: Any) -> None:
    """Run some rounds in a new stage."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        point_at(emulator, patch, stage="t" + secrets.token_hex(4))
        migrations.apply(config.load())
        network = stack.enter_context(faulty_network())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = replace(config.load(), denylist_dir=directory / "denylist")
        api: tuple[ApiServer, FileTime] | None = None
        for number in numbers:
            if api is None and over_http(number):
                api = stack.enter_context(running_api(directory, directory / "denylist"))
            totals = Totals(rounds=1)
            try:
                round_ = round_of(seed, number, moves)
                http = api is not None and over_http(number)
                recorder = (
                    play_http_round(round_, settings, network, *api)
                    if api and http
                    else play_round(round_, settings, network)
                )
                totals.operations, totals.faulted = recorder.operations, recorder.faulted
            except AssertionError as broken:
                totals.broken.append(f"{broken}\n  again: {repeat_command(seed, number, moves)}")
            totals.faults, totals.invariants = Counter(network.counts), Counter(check_counts)
            network.counts.clear()
            check_counts.clear()
            results.put(totals)
            if stop.is_set():
                return


def report(seed: int, totals: Totals, seconds: float) -> None:
    """Print all counts."""
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
