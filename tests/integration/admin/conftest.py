"""`tollcast-admin` logged in at the real API: over the emulator, or in memory where answers have to fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.domain.accounts.users import Role
from tests.http.conftest import PASSWORD, Api
from tests.http.conftest import api as api
from tests.integration.admin.admin_harness import ADMIN_EMAIL, ADMIN_PASSWORD, Admin
from tests.integration.player.platform_server import PlatformServer


@pytest.fixture
def admin(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Admin:
    """Return the command line, logged in at the API over the emulator."""
    runner = Admin(str(api.http.base_url), tmp_path / "home", monkeypatch)
    return runner.login(api.user(Role.ADMIN).email, PASSWORD)


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlatformServer]:
    """Return the app over stores in memory. It can lose answers, expire tokens, and be unreachable."""
    server = PlatformServer(tmp_path, monkeypatch)
    server.services.accounts.create(ADMIN_EMAIL, ADMIN_PASSWORD, Role.ADMIN)
    yield server
    server.close()


@pytest.fixture
def memory_admin(platform: PlatformServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Admin:
    """Return the command line, logged in at the app in memory."""
    return Admin(platform.url, tmp_path / "home", monkeypatch).login(ADMIN_EMAIL, ADMIN_PASSWORD)
