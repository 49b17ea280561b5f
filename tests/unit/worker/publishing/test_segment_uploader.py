from pathlib import Path

import pytest

from chalicelib.ports.common import StoreUnavailable
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.unit.worker.publishing.owner import Owner


@pytest.fixture
def media() -> FaultyMedia:
    return FaultyMedia(MemoryMedia())


def test_what_an_upload_takes_is_known_as_a_share_of_what_it_plays(media: FaultyMedia, tmp_path: Path) -> None:
    owner = Owner(media, tmp_path, 1)
    assert list(owner.uploads.shares) == [] and owner.uploads.failure is None

    def take(operation: str, key: str) -> None:
        # Two renditions, of which each takes half a second by this clock.
        owner.now_s += 0.5

    media.before = take
    for _ in range(4):
        assert owner.uploads.store(owner.segment(duration_s=2.0)) is None
    assert list(owner.uploads.shares) == [0.5] * 3


def test_a_store_that_fails_is_known_since_when_until_a_write_succeeds(media: FaultyMedia, tmp_path: Path) -> None:
    owner = Owner(media, tmp_path, 1)

    def fail(operation: str, key: str) -> None:
        owner.now_s += 30.0
        raise StoreUnavailable("no answer")

    media.before = fail
    assert owner.uploads.store(owner.segment())
    assert owner.uploads.failure and owner.uploads.failure[0] == "StoreUnavailable: no answer"
    assert owner.uploads.failure[1] >= 1_030.0 and list(owner.uploads.shares) == []
    media.before = lambda operation, key: None
    assert owner.uploads.store(owner.segment()) is None
    assert owner.uploads.failure is None and len(owner.uploads.shares) == 1
