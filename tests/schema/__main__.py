"""Hold a platform against its OpenAPI document: `python -m tests.schema [--examples 100] [--seed N] [--only TEXT]`.

Each operation is asked by nobody, by a viewer and by an operator. The platform is one of its own, unless `--url` names
one, with an operator (`--operator EMAIL:PASSWORD`) and a stream that is live (`--stream`). `--document FILE` holds it
against another document than the one it serves. Status 0 if every answer was a documented one, and each operation
was done at least once by who may.
"""

import argparse
import contextlib
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import requests
from schemathesis import Case

from infra.local.seed import ADMIN_EMAIL, ADMIN_PASSWORD, STREAM_ID
from tests.faults.harness.private_stack import Operator, private_stack, seed_of
from tests.schema.cases import bounds, generated, loaded, sure
from tests.schema.document import Document, Operation, operations, strict
from tests.schema.judge import Tally
from tests.schema.world import ANSWER_S_MAX, FUZZED_ADDRESS, World

CALLERS = ("nobody", "viewer", "admin")
# Who is refused whatever they send needs few examples: one in so many.
REFUSED_SHARE = 4


class Run:
    """All operations by all callers."""

    def __init__(self, world: World, document: Document, arguments: argparse.Namespace) -> None:
        self._world = world
        self._operations = operations(document)
        self._schema = loaded(strict(document))
        self._arguments = arguments
        self._session = requests.Session()
        # All wrong credentials have their turn, one a request.
        self._wrong = itertools.cycle(world.wrong_headers())

    def __iter__(self) -> Iterator[Tally]:
        for operation in self._operations:
            if self._arguments.only in str(operation):
                # Where nobody has to be anybody, nobody is asked who they are.
                for caller in CALLERS if operation.role else CALLERS[:1]:
                    yield self._tried(operation, caller)

    def _tried(self, operation: Operation, caller: str) -> Tally:
        tally = Tally(operation, caller)
        seat = self._world.seat("viewer" if caller == "nobody" else caller, operation, spoils=tally.allowed)
        known = self._world.known(operation, seat, spoils=tally.allowed)
        target = self._schema[operation.path][operation.method]

        def try_it(case: Case) -> None:
            nonlocal seat
            credentials = next(self._wrong) if caller == "nobody" else seat.headers
            headers = {**credentials, "X-Real-IP": FUZZED_ADDRESS}
            answer = case.call(self._world.url, session=self._session, headers=headers, timeout=ANSWER_S_MAX)
            tally.judge(case, answer, headers)
            if answer.status_code < 300 and caller != "nobody":
                seat = self._world.still(seat, operation)

        sure(target, known, operation.required, try_it)
        examples = self._arguments.examples if tally.allowed else -(-self._arguments.examples // REFUSED_SHARE)
        generated(target, known, examples, self._arguments.seed, try_it)
        if self._arguments.bounds and tally.allowed:
            bounds(target, known, try_it)
        self._world.tidy()
        return tally


@contextlib.contextmanager
def platform(arguments: argparse.Namespace) -> Iterator[World]:
    """The platform that was named, or one of our own with a stream that is live."""
    if arguments.url:
        email, _, password = arguments.operator.partition(":")
        with contextlib.closing(World(arguments.url, email, password, arguments.stream)) as world:
            yield world
        return
    # Behind the gateway all callers have one address, whose failed logins would keep everybody out.
    with private_stack(4, TOLLCAST_LOGIN_ADDRESS_LIMIT="1000000+1/1s") as stack, Operator(stack.url) as operator:
        operator.go_live()
        with contextlib.closing(World(stack.url, ADMIN_EMAIL, ADMIN_PASSWORD, STREAM_ID)) as world:
            yield world


def report(tally: Tally) -> list[str]:
    """Tell what came of an operation; answers what was wrong."""
    statuses = " ".join(f"{status}:{count}" for status, count in sorted(tally.statuses.items()))
    print(f"{tally.caller:6} {tally.operation!s:42} {tally.asked:5} requests  {statuses}", flush=True)
    wrong = [f"{what}\n    {shown}" for what, shown in tally.failures.items()]
    if tally.allowed and not any(status < 300 for status in tally.statuses):
        wrong.append("Never done, though this caller may")
    for each in wrong:
        print(f"  FAILED: {each}", flush=True)
    return wrong


def main() -> int:
    """Run it; the status of the process."""
    parser = argparse.ArgumentParser(prog="python -m tests.schema")
    parser.add_argument("--examples", type=int, default=100, help="made from the schema, for each who may; 100")
    parser.add_argument("--bounds", action="store_true", help="also each bound of each field")
    parser.add_argument("--seed", help="plays a run again")
    parser.add_argument("--only", default="", help="operations with this in their name, such as `GET /me`")
    parser.add_argument("--url", help="a platform that runs")
    parser.add_argument("--operator", default=f"{ADMIN_EMAIL}:{ADMIN_PASSWORD}")
    parser.add_argument("--stream", default=STREAM_ID)
    parser.add_argument("--document", type=Path)
    arguments = parser.parse_args()
    arguments.seed = seed_of(arguments.seed)
    print(f"seed {arguments.seed}", flush=True)
    began = time.monotonic()
    with platform(arguments) as world:
        document = json.loads(arguments.document.read_text()) if arguments.document else world.document()
        tallies = [(tally, report(tally)) for tally in Run(world, document, arguments)]
    failures = sum(len(wrong) for _, wrong in tallies)
    tried = {str(tally.operation) for tally, _ in tallies}
    requests_made = sum(tally.asked for tally, _ in tallies)
    took_s = time.monotonic() - began
    print(f"{len(tried)} operations, {requests_made} requests, {failures} failures, {took_s:.0f} s")
    return 1 if failures or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
