from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.config import Settings
from tests.fixtures.authority import Authority
from tests.integration.worker.harness import Lab
from tests.integration.worker.puller import make_media


@pytest.fixture
def lab(settings: Settings, tmp_path: Path) -> Iterator[Lab]:
    it = Lab(settings, tmp_path)
    yield it
    it.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("media")
    make_media(directory)
    return directory
