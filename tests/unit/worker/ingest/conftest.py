"""A server of HLS, its clock, and what was played of it."""

import pytest

from tests.unit.worker.ingest.hls_server import Clock, Server
from worker.ingest.hls.played import PlayedSegments


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Server:
    return Server(target_s=6)


@pytest.fixture
def played() -> PlayedSegments:
    return PlayedSegments()
