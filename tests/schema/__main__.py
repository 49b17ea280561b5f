"""Check a platform against its OpenAPI document.

Each operation is requested without a login, by a viewer and by an operator. The platform is a private one, unless
`--url` names one with an operator (`--operator EMAIL:PASSWORD`) and a live stream (`--stream`). `--document FILE` is
another document than the served one. The status is 0 if every answer was documented and each operation succeeded.
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

from infra.local.setup.seed import ADMIN_EMAIL, ADMIN_PASSWORD, STREAM_ID
from tests.faults.harness.command_line import command_parser, print_start
from tests.faults.harness.private_stack import Operator, private_stack
from tests.schema.accounts import ANSWER_S_MAX, FUZZED_ADDRESS, Accounts
from tests.schema.cases import load_schema, send_bounds, send_generated, valid_request
from tests.schema.document import Document, Operation, operations, strict
from tests.schema.judge import Tally

ROLES = ("anonymous", "viewer", "operator", "finance", "admin")
# A role that is always refused gets one example in so many.
REFUSED_SHARE = 4


class Run:
    def __init__(self, accounts: Accounts, document: Document, arguments: argparse.Namespace) -> None:
        self._accounts = accounts
        self._operations = operations(document)
        self._schema = load_schema(strict(document))
        self._arguments = arguments
        self._session = requests.Session()
        # Requests use all wrong credentials in turn.
        self._wrong = itertools.cycle(accounts.wrong_headers())

    def __iter__(self) -> Iterator[Tally]:
        for operation in self._operations:
            if self._arguments.only in str(operation):
                # Public operations are requested in one role.
                for role in ROLES if operation.roles else ROLES[:1]:
                    yield self._check(operation, role)

    def _check(self, operation: Operation, role: str) -> Tally:
        tally = Tally(operation, role)
        login = self._accounts.login_for(
            "viewer" if role == "anonymous" else role, operation, changes_data=tally.allowed
        )
        known = self._accounts.known(operation, login, changes_data=tally.allowed)
        target = self._schema[operation.path][operation.method]

        def send(case: Case) -> None:
            nonlocal login
            credentials = next(self._wrong) if role == "anonymous" else login.headers
            headers = {**credentials, "X-Real-IP": FUZZED_ADDRESS}
            answer = case.call(self._accounts.url, session=self._session, headers=headers, timeout=ANSWER_S_MAX)
            tally.judge(case, answer, headers)
            if answer.status_code < 300 and role != "anonymous":
                login = self._accounts.login_after(login, operation)

        valid_request(target, known, operation, send)
        examples = self._arguments.examples if tally.allowed else -(-self._arguments.examples // REFUSED_SHARE)
        send_generated(target, known, examples, self._arguments.seed, send)
        if self._arguments.bounds and tally.allowed:
            send_bounds(target, known, send)
        self._accounts.delete_streams()
        return tally


@contextlib.contextmanager
def platform(arguments: argparse.Namespace) -> Iterator[Accounts]:
    """Open the named platform, or a private one with a live stream."""
    if arguments.url:
        email, _, password = arguments.operator.partition(":")
        with contextlib.closing(Accounts(arguments.url, email, password, arguments.stream)) as accounts:
            yield accounts
        return
    # Behind the gateway all clients have one address, whose failed logins would block all of them.
    with private_stack(4, TOLLCAST_LOGIN_ADDRESS_LIMIT="1000000+1/1s") as stack, Operator(stack.url) as operator:
        operator.go_live()
        with contextlib.closing(Accounts(stack.url, ADMIN_EMAIL, ADMIN_PASSWORD, STREAM_ID)) as accounts:
            yield accounts


def report(tally: Tally) -> list[str]:
    statuses = " ".join(f"{status}:{count}" for status, count in sorted(tally.statuses.items()))
    print(f"{tally.role:9} {tally.operation!s:42} {tally.request_count:5} requests  {statuses}", flush=True)
    wrong = [f"{what}\n    {shown}" for what, shown in tally.failures.items()]
    if tally.allowed and not any(status < 300 for status in tally.statuses):
        wrong.append("Never succeeded in this role")
    for each in wrong:
        print(f"  FAILED: {each}", flush=True)
    return wrong


def main() -> int:
    parser = command_parser("make fuzz", __doc__)
    parser.add_argument("--examples", type=int, default=100, help="generated requests for each role (default: 100)")
    parser.add_argument("--bounds", action="store_true", help="also test each bound of each field")
    parser.add_argument("--only", default="", help="only operations with this in their name, such as `GET /me`")
    parser.add_argument("--url", help="a running platform")
    parser.add_argument("--operator", default=f"{ADMIN_EMAIL}:{ADMIN_PASSWORD}")
    parser.add_argument("--stream", default=STREAM_ID)
    parser.add_argument("--document", type=Path)
    arguments = parser.parse_args()
    print_start(arguments.seed)
    began = time.monotonic()
    with platform(arguments) as accounts:
        document = json.loads(arguments.document.read_text()) if arguments.document else accounts.document()
        tallies = [(tally, report(tally)) for tally in Run(accounts, document, arguments)]
    failures = sum(len(wrong) for _, wrong in tallies)
    tried = {str(tally.operation) for tally, _ in tallies}
    requests_made = sum(tally.request_count for tally, _ in tallies)
    took_s = time.monotonic() - began
    print(f"{len(tried)} operations, {requests_made} requests, {failures} failures, {took_s:.0f} s")
    return 1 if failures or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
