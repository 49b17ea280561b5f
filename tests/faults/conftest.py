"""A world for each module: a stage in the emulator, with a faulty network between it and this process."""

from collections.abc import Iterator

import pytest

from chalicelib.config import Settings
from tests.faults.harness.environment import World
from tests.faults.harness.store_faults import Network, faulty_network
from tests.faults.scenarios.recorder import Scene


@pytest.fixture(scope="module")
def network(module_settings: Settings) -> Iterator[Network]:
    with faulty_network() as network:
        yield network


@pytest.fixture(scope="module")
def world(module_settings: Settings, network: Network, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(module_settings, network, tmp_path_factory.mktemp("denylist"))


@pytest.fixture
def scene(world: World) -> Scene:
    """A scene of its own, with viewers of its own; the world and its time are the module's."""
    return Scene(world)
