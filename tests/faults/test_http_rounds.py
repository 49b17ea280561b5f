"""Rounds through a faulty proxy and the running API, whose workers are killed."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.config import Settings
from tests.faults.harness.api_server import ApiServer, FileTime, running_api
from tests.faults.harness.http_faults import HttpFault
from tests.faults.harness.store_faults import Network
from tests.faults.scenarios.http_rounds import play_http_round
from tests.faults.scenarios.rounds import Round

SEED = 20_260_802


@pytest.fixture(scope="module")
def api(
    module_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ApiServer, FileTime, Settings]]:
    directory = tmp_path_factory.mktemp("functions")
    denylist_dir = directory / "denylist"
    with running_api(directory, denylist_dir) as (api, true_time):
        yield api, true_time, replace(module_settings, denylist_dir=denylist_dir)


@pytest.mark.parametrize("number", range(2))
def test_round_over_http(number: int, api: tuple[ApiServer, FileTime, Settings], network: Network) -> None:
    api, true_time, settings = api
    recorder = play_http_round(
        Round(seed=f"{SEED}:{number}", moves=160, threads=3, between=0.0), settings, network, api, true_time
    )
    assert recorder.faulted > 10


def test_every_http_fault_was_injected(network: Network) -> None:
    assert set(HttpFault) <= set(network.counts)
