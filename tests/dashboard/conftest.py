"""The dashboard in Chromium, on the platform of `make up` with a live stream and real players."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from infra.dashboard.project import Project
from tests.browser.browser import chromium
from tests.dashboard.dashboard import Dashboard
from tests.e2e.conftest import Platform
from tests.e2e.conftest import platform as platform
from tests.e2e.conftest import viewer as viewer

STAFF_PASSWORD = "an operator's password"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def add_staff(platform: Platform) -> Callable[[str], str]:
    """Return how to add an account of a role. It returns the email."""

    def add(role: str) -> str:
        email = f"{role}@local"
        body = {"email": email, "password": STAFF_PASSWORD, "role": role}
        answer = platform.http.post("/users", headers=platform.login("admin@local", "admin"), json=body)
        assert answer.status_code in (201, 409), answer.text
        return email

    return add


@pytest.fixture
def opened(browser: Browser, platform: Platform) -> Iterator[Callable[..., Dashboard]]:
    """Return how to open a dashboard, each in a browser profile of its own. What went wrong in one fails the test."""
    assert (Project().dist / "index.html").is_file(), "`make up` has built no dashboard"
    made: list[Dashboard] = []

    def open_one(email: str = "admin@local", password: str = "admin", **options: object) -> Dashboard:
        dashboard = Dashboard(browser.new_context(**options), platform.stack.url)
        made.append(dashboard)
        return dashboard.sign_in(email, password)

    yield open_one
    for dashboard in made:
        dashboard.context.close()
    assert [fault for dashboard in made for fault in dashboard.faults] == []
