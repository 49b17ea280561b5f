"""Rounds through the running API, with a bad way to it and workers that are killed."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.config import Settings
from tests.faults.harness.api_server import FileTime, Functions, running
from tests.faults.harness.http_faults import WireFault
from tests.faults.harness.store_faults import Network
from tests.faults.scenarios.http_rounds import play_http
from tests.faults.scenarios.rounds import Round

SEED = 20_260_802


@pytest.fixture(scope="module")
def api(
    module_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Functions, FileTime, Settings]]:
    directory = tmp_path_factory.mktemp("functions")
    denylist_dir = directory / "denylist"
    with running(directory, denylist_dir) as (functions, true_time):
        yield functions, true_time, replace(module_settings, denylist_dir=denylist_dir)


@pytest.mark.parametrize("number", range(2))
def test_over_http(number: int, api: tuple[Functions, FileTime, Settings], network: Network) -> None:
    functions, true_time, settings = api
    scene = play_http(
        Round(seed=f"{SEED}:{number}", moves=160, threads=3, between=0.0), settings, network, functions, true_time
    )
    assert scene.faulted > 10


def test_every_kind_of_fault_was_met(network: Network) -> None:
    assert set(WireFault) <= set(network.counts)
