"""A state machine of Hypothesis: requests and faults in any order, checked after every step.

It is derandomized, so every run is the same. Hypothesis prints a failure as the shortest sequence of calls. All
examples share the emulator; each has its own viewers and function instances.
"""

from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.faults.harness.environment import SKEW_MS, Environment, FunctionInstance
from tests.faults.harness.store_faults import KILLS, Fault, FaultPlan
from tests.faults.scenarios.moves import WAITS_MS, WEIGHTS, Move, MoveRunner
from tests.faults.scenarios.recorder import Recorder
from tests.faults.scenarios.rounds import BEFORE_MIDNIGHT_MS, CAPS, OPENING, verify

EXAMPLES = 10
STEPS = 20

numbers = st.integers(0, 999)
moves = st.builds(Move, st.sampled_from(sorted(set(WEIGHTS) - {"wait", "reap"})), numbers, numbers, numbers, numbers)
beats = st.builds(Move, st.just("beat"), numbers, numbers, numbers, numbers)
requests = st.dictionaries(st.integers(0, 4), st.sampled_from(sorted(set(Fault) - set(KILLS))), max_size=3)
deaths = st.dictionaries(st.integers(0, 2), st.sampled_from(KILLS), max_size=1)


class Watching(RuleBasedStateMachine):
    """Two viewers, three function instances."""

    environment: Environment

    @initialize(
        openings=st.tuples(*[st.tuples(st.sampled_from(OPENING), st.sampled_from(CAPS))] * 2),
        skew=st.integers(0, SKEW_MS),
        before_midnight_ms=st.sampled_from((None, None, *BEFORE_MIDNIGHT_MS)),
    )
    def open(self, openings: tuple[tuple[int, int | None], ...], skew: int, before_midnight_ms: int | None) -> None:
        if before_midnight_ms is not None:
            self.environment.time.to_midnight(before_midnight_ms)
        self.recorder = Recorder(self.environment)
        self.verified: dict[str, int] = {}
        for millipoints, cap in openings:
            self.recorder.viewer(millipoints, cap)
        self.runner = MoveRunner(
            self.recorder, [FunctionInstance(self.environment, offset_ms) for offset_ms in (0, skew, -skew)]
        )

    @rule(move=moves | beats, requests=requests, deaths=deaths)
    def one(self, move: Move, requests: dict[int, Fault], deaths: dict[int, Fault]) -> None:
        self.runner.run(move, FaultPlan(on_request=requests, on_write=deaths))

    @rule(move=moves | beats, at=st.integers(0, 4), other=moves | beats, requests=requests)
    def one_between_two_steps_of_another(self, move: Move, at: int, other: Move, requests: dict[int, Fault]) -> None:
        before_request = {at: partial(self.runner.run, other, FaultPlan())}
        self.runner.run(move, FaultPlan(on_request=requests, before_request=before_request))

    @rule(ms=st.sampled_from(WAITS_MS))
    def wait(self, ms: int) -> None:
        self.environment.time.advance(ms)

    @invariant()
    def nothing_is_broken(self) -> None:
        # Viewers without new operations were checked before. Late requests are checked at the end.
        for viewer in self.recorder.viewers if hasattr(self, "recorder") else ():
            if self.verified.get(viewer.user_id) != len(viewer.operations):
                self.verified[viewer.user_id] = len(viewer.operations)
                self.recorder.check(viewer)

    def teardown(self) -> None:
        if hasattr(self, "recorder"):
            verify(self.recorder)


@pytest.fixture
def machine(environment: Environment) -> Iterator[type[Watching]]:
    yield type("Watching", (Watching,), {"environment": environment})
    environment.network.throttled_tables.clear()
    environment.network.deliver_late()


@pytest.mark.timeout(600)
def test_any_order_of_requests_and_faults(machine: type[Watching]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            print_blob=True,
            # Explaining a failure would repeat it hundreds of times.
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
