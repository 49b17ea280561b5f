"""A media store in memory for publishers, and who follows what they publish; a server of HLS and its clock."""

from collections.abc import Iterator

import pytest

from tests.fakes.media import FaultyMedia, MemoryMedia
from tests.integration.worker.follower import Follower
from tests.unit.worker.hls_server import Clock, Server
from tests.unit.worker.publishing import STREAM
from worker.ingest.hls.played import PlayedSegments
from worker.publishing import segment_uploader as uploads


@pytest.fixture
def store() -> MemoryMedia:
    return MemoryMedia()


@pytest.fixture
def media(store: MemoryMedia, monkeypatch: pytest.MonkeyPatch) -> FaultyMedia:
    monkeypatch.setattr(uploads, "RETRY_DELAYS_S", (0.0,))
    return FaultyMedia(store)


@pytest.fixture
def follower(store: MemoryMedia) -> Iterator[Follower]:
    it = Follower(store, STREAM)
    yield it
    it.poll()
    assert it.problems == []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Server:
    return Server(target_s=6)


@pytest.fixture
def played() -> PlayedSegments:
    return PlayedSegments()
