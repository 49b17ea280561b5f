"""Rounds of random moves under random faults: alone, so that every step follows from the seed, and from many threads.

What is asked for here is small; `make soak` asks for a hundred thousand operations.
"""

import pytest

from chalicelib.config import Settings
from tests.faults.commands.soak import command, round_of
from tests.faults.harness.store_faults import Fault, Network
from tests.faults.scenarios.rounds import Round, play

SEED = 20_260_801
MOVES = 160


@pytest.mark.parametrize("number", [1, 3, 0, 2])
def test_a_round(number: int, module_settings: Settings, network: Network) -> None:
    """Two alone, two from several threads, as `make soak` plays them."""
    round_ = round_of(SEED, number, MOVES)
    try:
        scene = play(round_, module_settings, network)
    except AssertionError as broken:
        pytest.fail(f"{broken}\nagain: {command(SEED, number, MOVES)}")
    # With several threads it is the machine's timing how many steps meet one.
    assert scene.faulted > (15 if round_.threads == 1 else 5)


def test_a_plan_follows_from_its_seed() -> None:
    assert Round(seed="1:2").plan(0) == Round(seed="1:2").plan(0)
    assert Round(seed="1:2").plan(0) != Round(seed="1:2").plan(1)


def test_alone_every_step_follows_from_the_seed(module_settings: Settings, network: Network) -> None:
    round_ = Round(seed=f"{SEED}:again", moves=80)
    runs = []
    for _ in range(2):
        before = network.requests
        scene = play(round_, module_settings, network)
        answers = [(d.kind, d.seq, type(d.answer).__name__, d.injected) for v in scene.viewers for d in v.deeds]
        runs.append((answers, network.requests - before))
    assert runs[0] == runs[1]


def test_every_kind_of_fault_was_injected(network: Network) -> None:
    assert set(network.counts) == set(Fault)
