"""Short rounds of random moves under random faults, with one thread and with several. `make soak` is the long run."""

from dataclasses import replace

import pytest

from chalicelib.config import Settings
from infra import migrations
from tests.faults.commands.soak import repeat_command, round_of
from tests.faults.harness.store_faults import Fault, Network
from tests.faults.scenarios.rounds import Round, play_round

SEED = 20_260_801
MOVES = 160


@pytest.mark.parametrize("number", [1, 3, 0, 2])
def test_a_round(number: int, module_settings: Settings, network: Network) -> None:
    """Two rounds with one thread, two with several, as in `make soak`."""
    round_ = round_of(SEED, number, MOVES)
    try:
        recorder = play_round(round_, module_settings, network)
    except AssertionError as broken:
        pytest.fail(f"{broken}\nagain: {repeat_command(SEED, number, MOVES)}")
    # With several threads the number of faults depends on timing.
    assert recorder.faulted > (15 if round_.threads == 1 else 5)


def test_a_plan_follows_from_its_seed() -> None:
    assert Round(seed="1:2").plan(0) == Round(seed="1:2").plan(0)
    assert Round(seed="1:2").plan(0) != Round(seed="1:2").plan(1)


def test_every_step_of_one_thread_follows_from_the_seed(module_settings: Settings, network: Network) -> None:
    round_ = Round(seed=f"{SEED}:again", moves=80)
    runs = []
    for number in range(2):
        # A stage of its own, since the last check reads all wallets.
        settings = replace(module_settings, stage=f"{module_settings.stage}{number}")
        migrations.apply(settings)
        before = network.requests
        recorder = play_round(round_, settings, network)
        answers = [(d.kind, d.seq, type(d.answer).__name__, d.injected) for v in recorder.viewers for d in v.operations]
        runs.append((answers, network.requests - before))
    assert runs[0] == runs[1]


def test_every_kind_of_fault_was_injected(network: Network) -> None:
    assert set(network.counts) == set(Fault)
