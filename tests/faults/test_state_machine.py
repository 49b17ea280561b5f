"""A state machine that Hypothesis drives: any order of any requests, any faults, judged after every step.

It is derandomized, so every run plays the same; what fails is made small and printed as the calls that repeat it. The
emulator is shared by all examples, and each example has viewers, streams and function instances of its own.
"""

from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.faults.harness.environment import SKEW_MS, Instance, World
from tests.faults.harness.store_faults import KILLS, Fault, Faults
from tests.faults.scenarios.moves import WAITS_MS, WEIGHTS, Move, Player
from tests.faults.scenarios.recorder import Scene
from tests.faults.scenarios.rounds import BEFORE_MIDNIGHT_MS, CAPS, OPENING, judge

EXAMPLES = 10
STEPS = 20

numbers = st.integers(0, 999)
moves = st.builds(Move, st.sampled_from(sorted(set(WEIGHTS) - {"wait", "reap"})), numbers, numbers, numbers, numbers)
beats = st.builds(Move, st.just("beat"), numbers, numbers, numbers, numbers)
requests = st.dictionaries(st.integers(0, 4), st.sampled_from(sorted(set(Fault) - set(KILLS))), max_size=3)
deaths = st.dictionaries(st.integers(0, 2), st.sampled_from(KILLS), max_size=1)


class Watching(RuleBasedStateMachine):
    """Two viewers, three function instances."""

    world: World

    @initialize(
        openings=st.tuples(*[st.tuples(st.sampled_from(OPENING), st.sampled_from(CAPS))] * 2),
        skew=st.integers(0, SKEW_MS),
        before_midnight_ms=st.sampled_from((None, None, *BEFORE_MIDNIGHT_MS)),
    )
    def open(self, openings: tuple[tuple[int, int | None], ...], skew: int, before_midnight_ms: int | None) -> None:
        if before_midnight_ms is not None:
            self.world.time.to_midnight(before_midnight_ms)
        self.scene = Scene(self.world)
        self.judged: dict[str, int] = {}
        for millipoints, cap in openings:
            self.scene.viewer(millipoints, cap)
        self.player = Player(self.scene, [Instance(self.world, offset_ms) for offset_ms in (0, skew, -skew)])

    @rule(move=moves | beats, requests=requests, deaths=deaths)
    def one(self, move: Move, requests: dict[int, Fault], deaths: dict[int, Fault]) -> None:
        self.player.play(move, Faults(on_request=requests, on_write=deaths))

    @rule(move=moves | beats, at=st.integers(0, 4), other=moves | beats, requests=requests)
    def one_between_two_steps_of_another(self, move: Move, at: int, other: Move, requests: dict[int, Fault]) -> None:
        meanwhile = {at: partial(self.player.play, other, Faults())}
        self.player.play(move, Faults(on_request=requests, meanwhile=meanwhile))

    @rule(ms=st.sampled_from(WAITS_MS))
    def wait(self, ms: int) -> None:
        self.world.time.advance(ms)

    @invariant()
    def nothing_is_broken(self) -> None:
        # Those who did nothing since were judged before; what arrives late for them is judged at the end.
        for viewer in self.scene.viewers if hasattr(self, "scene") else ():
            if self.judged.get(viewer.user_id) != len(viewer.deeds):
                self.judged[viewer.user_id] = len(viewer.deeds)
                self.scene.check(viewer)

    def teardown(self) -> None:
        if hasattr(self, "scene"):
            judge(self.scene)


@pytest.fixture
def machine(world: World) -> Iterator[type[Watching]]:
    yield type("Watching", (Watching,), {"world": world})
    world.network.refusing.clear()
    world.network.land()


@pytest.mark.timeout(600)
def test_any_order_of_anything(machine: type[Watching]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            print_blob=True,
            # Explaining a failure would play it hundreds of times more.
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
