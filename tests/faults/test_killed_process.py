"""Processes that are really killed, with SIGKILL, at a write: what they had acknowledged or done is never lost."""

import json
import os
import signal
import subprocess
import sys

import pytest

from infra.local.layout import ROOT
from tests.faults.harness.operations import Deed, Unknown
from tests.faults.harness.store_faults import Fault, Faults
from tests.faults.scenarios.recorder import Scene
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
        ("beat on time", "beat", CHANGE, Fault.KILLED_AFTER),
        ("beat on time", "beat", PAGE, Fault.KILLED_AFTER),
        ("beat on time", "beat", TRIM, Fault.KILLED_AFTER),
    ],
)
def test_a_killed_process_loses_nothing(scene: Scene, name: str, kind: str, write: int, fault: Fault) -> None:
    stand, act = SITUATIONS[name]
    situation = stand(scene)
    payment_id = f"killed-{os.urandom(6).hex()}"
    deed = Deed(
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
    situation.viewer.deeds.append(deed)
    killed(situation, kind, payment_id, write, fault)
    deed.answered(Unknown(why="killed"), scene.world.time.now_ms)
    scene.check(situation.viewer)
    # The client asks again: it is answered, and nothing happens twice.
    if kind == "pay":
        scene.pay(situation.here, situation.viewer, payment_id, 5_000)
    else:
        act(situation, Faults())
    assert not isinstance(situation.viewer.deeds[-1].answer, Unknown)
    scene.work(scene.world.observer, "catch_up")
    [view] = scene.check(situation.viewer)
    assert len(view.wallet.journal) < 6


def killed(situation: Situation, kind: str, payment_id: str, write: int, fault: Fault) -> None:
    """Let a process carry it out, and see it killed there."""
    world = situation.scene.world
    asked = {
        "kind": kind,
        "user_id": situation.viewer.user_id,
        "session_id": situation.session_id,
        "stream_id": situation.terms.stream_id,
        "payment_id": payment_id,
        "key": situation.key,
        "now_ms": world.time.now_ms,
        "denylist_dir": str(world.settings.denylist_dir),
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
