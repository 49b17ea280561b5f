"""Watch all kinds of sources on a real platform with a paying viewer.

It starts inputs on a private platform, several at a time, watches each in real time, and prints a table. The status is
0 if all are right. Files are made once and kept in a cache (`--cache`).
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from infra.local.setup.seed import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.faults.harness.api_client import Account
from tests.faults.harness.private_stack import private_stack
from tests.fixtures.authority import Authority
from tests.fixtures.ports import free_port
from tests.media.inputs.making import make_all
from tests.media.inputs.model import Feed, Input
from tests.media.inputs.table import BY_NAME, INPUTS, SUBJECTS
from tests.media.judging.judge import Result
from tests.media.serving import origin
from tests.media.trying import Outcome, Stage, Try

# As many as the platform's one worker takes.
AT_ONCE_MAX, PER_CORE = 4, 2
RUN_S_MAX = 20 * 60
# No input starts with less time left.
TRY_S = 60
CACHE_DEFAULT = Path(tempfile.gettempdir()) / f"tollcast-media-{os.getuid()}"
SESSIONS_MAX = 3
NAME_WIDTH = max(len(item.name) for items in SUBJECTS.values() for item in items)
FAULTS_MAX, FAULT_CHARS = 6, 150
HEAD = f"{'input':{NAME_WIDTH}}  result  {'paid':>5} {'worth':>6}  figure"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make zoo", description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="this input; can be given several times")
    parser.add_argument("--list", action="store_true", help="list all inputs and their purposes")
    parser.add_argument("--cache", type=Path, default=CACHE_DEFAULT, help=f"where inputs are kept ({CACHE_DEFAULT})")
    parser.add_argument("--at-once", type=int, default=min(AT_ONCE_MAX, PER_CORE * (os.cpu_count() or 1)))
    asked = parser.parse_args()
    if asked.list:
        print(listed())
        return 0
    if unknown := [name for name in asked.only or () if name not in BY_NAME]:
        parser.error(f"no input is called {', '.join(unknown)}; --list names them")
    chosen = [BY_NAME[name] for name in asked.only] if asked.only else list(INPUTS)
    began_s = time.monotonic()
    directories = make_all(chosen, asked.cache)
    print(f"{len(chosen)} inputs made in {time.monotonic() - began_s:.0f} s\n{HEAD}", flush=True)
    outcomes = []
    for outcome in tried(chosen, directories, asked.at_once):
        outcomes.append(outcome)
        print(row(outcome), flush=True)
    print(summary(outcomes, time.monotonic() - began_s))
    return 0 if all(outcome.result.is_right for outcome in outcomes) else 1


def row(outcome: Outcome) -> str:
    """Return a line for an input, and a line for each of its faults."""
    result = outcome.result
    mark = "right" if result.is_right else "WRONG"
    paid = f"{outcome.paid_points:5.1f} {result.worth_s:5.1f}s" if outcome.paid_points else f"{'-':>5} {'-':>6}"
    faults = [f"{'':{NAME_WIDTH}}    {fault[:FAULT_CHARS]}" for fault in result.faults[:FAULTS_MAX]]
    return "\n".join([f"{outcome.item.name:{NAME_WIDTH}}  {mark}    {paid}  {result.figure}", *faults])


def summary(outcomes: Sequence[Outcome], took_s: float) -> str:
    """Return the last line: how many are right, and what all viewers paid for what was worth seeing."""
    right = sum(outcome.result.is_right for outcome in outcomes)
    paid, worth = sum(each.paid_points for each in outcomes), sum(each.result.worth_s for each in outcomes)
    money = f"{paid:.0f} points paid for {worth:.0f} s worth seeing"
    return f"{right} of {len(outcomes)} inputs are right; {money}; {took_s:.0f} s"


def listed() -> str:
    """Return all inputs by subject, with their purposes."""
    lines = []
    for subject, items in SUBJECTS.items():
        lines += [
            f"{subject} ({len(items)})",
            *(f"  {item.name:{NAME_WIDTH}}  {item.feed:4}  {item.about}" for item in items),
        ]
    return "\n".join(lines)


def tried(items: list[Input], directories: dict[str, Path], at_once: int) -> Iterator[Outcome]:
    """Yield outcomes as they come."""
    with stage(items, directories) as platform, ThreadPoolExecutor(at_once) as pool:
        deadline_s = time.monotonic() + RUN_S_MAX - TRY_S
        try:
            for done in as_completed([pool.submit(one, platform, item, deadline_s) for item in items]):
                yield done.result()
        finally:
            # After an interruption no further input starts.
            pool.shutdown(cancel_futures=True)


def one(platform: Stage, item: Input, deadline_s: float) -> Outcome:
    """Try an input. An error is a fault of this input only."""
    if time.monotonic() > deadline_s:
        return Outcome(item, Result(("there was no time for it",), "not tried"))
    try:
        return Try(platform, item).run()
    except Exception as error:
        return Outcome(item, Result((f"{type(error).__name__}: {error}",), "not measured"))


@contextmanager
def stage(items: list[Input], directories: dict[str, Path]) -> Iterator[Stage]:
    """Start a platform that may fetch from an HTTPS server of this process, and trusts it."""
    with tempfile.TemporaryDirectory(prefix="tollcast-media-") as name:
        work, port = Path(name), free_port()
        authority = Authority(work)
        os.environ["SSL_CERT_FILE"] = str(authority.ca_file)
        opened = {"TOLLCAST_INGEST_NETWORKS": "127.0.0.0/8", "TOLLCAST_INGEST_PORTS": str(port)}
        pulled = {item.name: item for item in items if item.feed is Feed.PULL}
        with private_stack(SESSIONS_MAX, **opened) as stack, origin(authority, port, pulled, directories) as server:
            account = Account(stack.url, ADMIN_EMAIL, ADMIN_PASSWORD)
            yield Stage(stack, account, server.url, directories, work / "segments")


if __name__ == "__main__":
    sys.exit(main())
