from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.config import Settings
from tests.integration.worker.harness import Lab


@pytest.fixture
def lab(settings: Settings, tmp_path: Path) -> Iterator[Lab]:
    it = Lab(settings, tmp_path)
    yield it
    it.close()
