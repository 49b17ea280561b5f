"""A media store in memory for publishers, and a follower of what they publish."""

from collections.abc import Iterator

import pytest

from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.integration.worker.follower import Follower
from tests.unit.worker.publishing.owner import STREAM
from worker.publishing import segment_uploader


@pytest.fixture
def store() -> MemoryMedia:
    return MemoryMedia()


@pytest.fixture
def media(store: MemoryMedia, monkeypatch: pytest.MonkeyPatch) -> FaultyMedia:
    monkeypatch.setattr(segment_uploader, "RETRY_DELAYS_S", (0.0,))
    return FaultyMedia(store)


@pytest.fixture
def follower(store: MemoryMedia) -> Iterator[Follower]:
    it = Follower(store, STREAM)
    yield it
    it.poll()
    assert it.problems == []
