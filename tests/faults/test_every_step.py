"""Every step of every request, tried one by one: a fault at it, a death at it, another function's work just before it.

What is random elsewhere is complete here: each case is one request that completes a page, one step, one kind of fault.
`FAULTS=all` tries all kinds at each step; otherwise every second step gets one of them, the next one the next kind.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

import pytest

from tests.faults.harness.operations import Refused
from tests.faults.harness.store_faults import KILLS, Fault, Faults
from tests.faults.scenarios.recorder import Scene
from tests.faults.scenarios.situations import BETWEEN, SITUATIONS, Act, Situation, read, start, watching

STEPS_MAX = 20
# A run of three is what the SDK's retries do not get over.
RUNS = (
    (Fault.TIMEOUT_AFTER,),
    (Fault.DUPLICATE_SECOND,),
    (Fault.CONFLICT,),
    (Fault.RESET_BEFORE,) * 3,
    (Fault.ERROR_AFTER,) * 3,
    # The first arrives only after all is over, and its caller goes on without it.
    (Fault.LATE, Fault.CONFLICT),
)
AT_A_STEP = 1
Choice = TypeVar("Choice")


def some(choices: Sequence[Choice], name: str, step: int) -> Sequence[Choice]:
    """What is tried at a step."""
    if os.environ.get("FAULTS") == "all":
        return choices
    first = list(SITUATIONS).index(name) + step
    return [choices[(first + n) % len(choices)] for n in range(AT_A_STEP)]


def steps(name: str) -> range:
    """The steps that are tried."""
    if os.environ.get("FAULTS") == "all":
        return range(STEPS_MAX)
    return range(list(SITUATIONS).index(name) // len(RUNS) % 2, STEPS_MAX, 2)


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_fault_at_every_step(scene: Scene, name: str) -> None:
    for step in steps(name):
        requests = [tried(scene, name, step, run) for run in some(RUNS, name, step)]
        if max(requests) <= step:
            break
    assert step > 0


# A start that was made, and whose answer was lost, must not be refused because its repetition is.
@pytest.mark.parametrize("name", ["start", "start of a poor viewer"])
def test_a_made_start_is_not_refused(scene: Scene, name: str) -> None:
    for step in range(11):
        situation = SITUATIONS[name][0](scene)
        deed = start(situation, Faults(on_request={step: Fault.TIMEOUT_AFTER, step + 1: Fault.CONFLICT}))
        assert not isinstance(deed.answer, Refused), deed
        finish(situation, start)


def tried(scene: Scene, name: str, step: int, run: Sequence[Fault]) -> int:
    """One request with these faults from this step on; answers how many requests to the store it made."""
    stand, act = SITUATIONS[name]
    situation, faults = stand(scene), Faults(on_request={step + n: fault for n, fault in enumerate(run)})
    act(situation, faults)
    finish(situation, act)
    return faults.requests


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_death_at_every_write(scene: Scene, name: str) -> None:
    stand, act = SITUATIONS[name]
    for death in KILLS:
        for step in range(STEPS_MAX):
            situation, faults = stand(scene), Faults(on_write={step: death})
            act(situation, faults)
            finish(situation, act)
            if not faults.injected:
                break
        # What writes nothing cannot die of it.
        assert step > 0 or name in ("early beat", "start with a used key")


@pytest.mark.parametrize("name", SITUATIONS)
def test_another_function_between_any_two_steps(scene: Scene, name: str) -> None:
    stand, act = SITUATIONS[name]
    for step in steps(name):
        for between in some(list(BETWEEN), name, step):
            situation = stand(scene)
            faults = Faults(meanwhile={step: lambda s=situation, b=between: BETWEEN[b](s)})
            act(situation, faults)
            scene.check(situation.viewer)
            leave(situation)
        if faults.meanwhile:
            break


def finish(situation: Situation, act: Act) -> None:
    """The client, left without an answer, asks again; then everything late arrives; then all must be right."""
    act(situation, Faults())
    situation.scene.check(situation.viewer)
    if situation.scene.world.network.land():
        situation.scene.check(situation.viewer)
    leave(situation)


def leave(situation: Situation) -> None:
    """On a stream with a limit: its places are counted, and then left to the next."""
    if not situation.terms.viewers_max:
        return
    situation.scene.check_places()
    for viewer in situation.scene.viewers:
        for session_id in viewer.sessions:
            situation.scene.stop(situation.there, viewer, session_id)
    situation.scene.viewers.clear()
    situation.scene.check_places()
    situation.scene.world.counted_users.clear()


@pytest.mark.parametrize("step", range(3))
def test_a_ledger_is_whole_while_its_journal_moves(scene: Scene, step: int) -> None:
    situation = watching(scene)
    faults = Faults(meanwhile={step: lambda: BETWEEN["a top-up"](situation)})
    read(situation, faults)
    scene.check(situation.viewer)
