"""Processes that are killed with SIGKILL at a write lose nothing that they acknowledged or did."""

import json
import os
import signal
import subprocess
import sys

import pytest

from infra.local.layout import ROOT
from tests.faults.harness.operations import Operation, UnknownOutcome
from tests.faults.harness.store_faults import Fault, FaultPlan
from tests.faults.scenarios.recorder import Recorder
from tests.faults.scenarios.situations import SITUATIONS, Situation

CHILD_S_MAX = 60
# The first write is the change itself, the second its page, the third the trim.
CHANGE, PAGE, TRIM = range(3)


@pytest.mark.parametrize(
    ("name", "kind", "write", "fault"),
    [
        ("start", "start", CHANGE, Fault.KILLED_AFTER),
        ("stop", "stop", CHANGE, Fault.KILLED_AFTER),
        ("kick", "kick", CHANGE, Fault.KILLED_BEFORE),
        ("payment", "pay", CHANGE, Fault.KILLED_AFTER),
        ("settlement of served time", "settle", CHANGE, Fault.KILLED_AFTER),
        ("settlement of unserved time", "settle", CHANGE, Fault.KILLED_BEFORE),
        ("settlement into debt", "settle", PAGE, Fault.KILLED_AFTER),
        ("start with a debt", "start", CHANGE, Fault.KILLED_AFTER),
        ("beat on time", "beat", CHANGE, Fault.KILLED_AFTER),
        ("beat on time", "beat", PAGE, Fault.KILLED_AFTER),
        ("beat on time", "beat", TRIM, Fault.KILLED_AFTER),
    ],
)
def test_a_killed_process_loses_nothing(recorder: Recorder, name: str, kind: str, write: int, fault: Fault) -> None:
    set_up, act = SITUATIONS[name]
    situation = set_up(recorder)
    payment_id = f"killed-{os.urandom(6).hex()}"
    operation = Operation(
        kind=kind,
        user_id=situation.viewer.user_id,
        session_id=situation.session_id or None,
        key=situation.key if kind == "start" else None,
        seq=2 if kind == "beat" else None,
        payment_id=payment_id,
        millipoints=5_000,
        injected=[fault],
    )
    if kind == "pay":
        situation.viewer.payments[payment_id] = {5_000}
    situation.viewer.operations.append(operation)
    killed(situation, kind, payment_id, write, fault)
    operation.record_answer(UnknownOutcome(why="killed"), recorder.environment.time.now_ms)
    recorder.check(situation.viewer)
    # The client repeats the request: it is answered, and nothing happens twice.
    if kind == "pay":
        recorder.pay(situation.driver, situation.viewer, payment_id, 5_000)
    else:
        act(situation, FaultPlan())
    assert not isinstance(situation.viewer.operations[-1].answer, UnknownOutcome)
    recorder.work(recorder.environment.observer, "catch_up")
    [view] = recorder.check(situation.viewer)
    assert len(view.wallet.journal) < 6


def killed(situation: Situation, kind: str, payment_id: str, write: int, fault: Fault) -> None:
    """Let a process execute the request, and assert that it is killed."""
    environment = situation.recorder.environment
    asked = {
        "kind": kind,
        "user_id": situation.viewer.user_id,
        "session_id": situation.session_id,
        "stream_id": situation.terms.stream_id,
        "payment_id": payment_id,
        "key": situation.key,
        "now_ms": environment.time.now_ms,
        "denylist_dir": str(environment.settings.denylist_dir),
        "write": write,
        "fault": fault.value,
    }
    child = subprocess.run(
        [sys.executable, "-m", "tests.faults.harness.killed_process", json.dumps(asked)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=CHILD_S_MAX,
    )
    assert child.returncode == -signal.SIGKILL, child.stdout + child.stderr
