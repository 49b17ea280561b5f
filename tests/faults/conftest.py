"""An environment for each module: a stage in the emulator behind a faulty network."""

from collections.abc import Iterator

import pytest

from chalicelib.config import Settings
from tests.faults.harness.environment import Environment
from tests.faults.harness.store_faults import Network, faulty_network
from tests.faults.scenarios.recorder import Recorder


@pytest.fixture(scope="module")
def network(module_settings: Settings) -> Iterator[Network]:
    with faulty_network() as network:
        yield network


@pytest.fixture(scope="module")
def environment(module_settings: Settings, network: Network, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(module_settings, network, tmp_path_factory.mktemp("denylist"))


@pytest.fixture
def recorder(environment: Environment) -> Recorder:
    """A recorder without viewers. Its environment and time are those of the module."""
    return Recorder(environment)
