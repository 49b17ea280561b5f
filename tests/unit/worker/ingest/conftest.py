import pytest

from tests.unit.worker.ingest.hls_server import Server


@pytest.fixture
def server() -> Server:
    return Server(target_s=6)
