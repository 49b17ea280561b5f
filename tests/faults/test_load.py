"""A short run of `make load`, on the platform that the suite shares."""

import pytest

from tests.faults.commands.load import load, report_lines
from tests.faults.harness.private_stack import Operator
from tests.fixtures.stack import Stack

SECONDS = 8.0
THREADS = 16
# As many as that platform allows a viewer at a time.
SESSIONS = 3


@pytest.mark.timeout(240)
def test_one_wallet_is_exact_under_many_racing_clients(stack: Stack) -> None:
    with Operator(stack.url) as operator:
        operator.go_live()
        try:
            run, findings = load(operator, seconds=SECONDS, threads=THREADS, sessions=SESSIONS, seed=1)
        finally:
            operator.stop_stream()
    report = "\n".join(report_lines(run, findings, SECONDS))
    assert findings.violations == [], report
    assert run.outcomes["replay"] and len(run.answers.sales) > SESSIONS and run.answers.acknowledged_payments, report
