"""Every step of every request: a fault at it, a kill at it, or a request of another function just before it.

Each case is one request that completes a page, one step and one kind of fault. `FAULTS=all` tries all kinds at each
step. Otherwise every second step gets one kind, in turn.
"""

import os
from collections.abc import Sequence
from typing import Any

import pytest

from tests.faults.harness.operations import Refusal
from tests.faults.harness.store_faults import KILLS, Fault, FaultPlan
from tests.faults.scenarios.recorder import Recorder
from tests.faults.scenarios.situations import BETWEEN, SITUATIONS, Act, Situation, read, start, watching

STEPS_MAX = 20
ALL = os.environ.get("FAULTS") == "all"
# The SDK retries twice, so three in a row fail.
FAULT_RUNS = (
    (Fault.TIMEOUT_AFTER,),
    (Fault.DUPLICATE_SECOND,),
    (Fault.CONFLICT,),
    (Fault.RESET_BEFORE,) * 3,
    (Fault.ERROR_AFTER,) * 3,
    # The first one arrives after the end of the operation.
    (Fault.LATE, Fault.CONFLICT),
)


def choices_at(choices: Sequence[Any], name: str, step: int) -> Sequence[Any]:
    """Return the choices that are tried at a step: all of them, or one."""
    if ALL:
        return choices
    return [choices[(list(SITUATIONS).index(name) + step) % len(choices)]]


def steps(name: str) -> range:
    if ALL:
        return range(STEPS_MAX)
    return range(list(SITUATIONS).index(name) // len(FAULT_RUNS) % 2, STEPS_MAX, 2)


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_fault_at_every_step(recorder: Recorder, name: str) -> None:
    set_up, act = SITUATIONS[name]
    for step in steps(name):
        requests = 0
        for run in choices_at(FAULT_RUNS, name, step):
            situation, faults = set_up(recorder), FaultPlan(on_request={step + n: fault for n, fault in enumerate(run)})
            act(situation, faults)
            finish(situation, act)
            requests = max(requests, faults.requests)
        if requests <= step:
            break
    assert step > 0


# A start whose answer was lost must not be refused because its repetition is.
@pytest.mark.parametrize("name", ["start", "start of a poor viewer"])
def test_a_made_start_is_not_refused(recorder: Recorder, name: str) -> None:
    for step in range(11):
        situation = SITUATIONS[name][0](recorder)
        operation = start(situation, FaultPlan(on_request={step: Fault.TIMEOUT_AFTER, step + 1: Fault.CONFLICT}))
        assert not isinstance(operation.answer, Refusal), operation
        finish(situation, start)


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_death_at_every_write(recorder: Recorder, name: str) -> None:
    set_up, act = SITUATIONS[name]
    for step in range(STEPS_MAX):
        # A death before a later write leaves what one after the write before it leaves.
        for death in KILLS if step == 0 or ALL else (Fault.KILLED_AFTER,):
            situation, faults = set_up(recorder), FaultPlan(on_write={step: death})
            act(situation, faults)
            finish(situation, act)
        if not faults.injected:
            break
    # These requests write nothing.
    assert step > 0 or name in ("early beat", "start with a used key", "start with too large a debt")


@pytest.mark.parametrize("name", SITUATIONS)
def test_another_function_between_any_two_steps(recorder: Recorder, name: str) -> None:
    set_up, act = SITUATIONS[name]
    for step in steps(name):
        for between in choices_at(list(BETWEEN), name, step):
            situation = set_up(recorder)
            faults = FaultPlan(before_request={step: lambda s=situation, b=between: BETWEEN[b](s)})
            act(situation, faults)
            recorder.check(situation.viewer)
            free_places(situation)
        if faults.before_request:
            break


def finish(situation: Situation, act: Act) -> None:
    """Repeat the request as a client without an answer does, let late requests arrive, and check."""
    act(situation, FaultPlan())
    situation.recorder.check(situation.viewer)
    if situation.recorder.environment.network.deliver_late():
        situation.recorder.check(situation.viewer)
    free_places(situation)


def free_places(situation: Situation) -> None:
    """Check the places of a stream with a limit, and free them."""
    if not situation.terms.viewers_max:
        return
    situation.recorder.check_places()
    for viewer in situation.recorder.viewers:
        for session_id in viewer.sessions:
            situation.recorder.send("stop", situation.other_driver, viewer, session_id)
    situation.recorder.viewers.clear()
    situation.recorder.check_places()
    situation.recorder.environment.counted_users.clear()


@pytest.mark.parametrize("step", range(3))
def test_a_ledger_is_whole_while_its_journal_moves(recorder: Recorder, step: int) -> None:
    situation = watching(recorder)
    faults = FaultPlan(before_request={step: lambda: BETWEEN["a top-up"](situation)})
    read(situation, faults)
    recorder.check(situation.viewer)
