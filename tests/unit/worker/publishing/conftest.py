from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.worker.publishing.owner import Bucket
from worker.publishing import segment_uploader


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setattr(segment_uploader, "RETRY_DELAYS_S", (0.0,))
    it = Bucket(tmp_path)
    yield it
    for owner in it.owners:
        owner.prober.close()
    assert it.follow().problems == []
