"""The services of the app over the stores in memory of `tests/fakes`."""

import time

import pytest

from chalicelib import bootstrap, config
from tests.fakes.stores import memory_stores
from tests.fixtures.settings import service_environment

ENVIRONMENT = {
    **service_environment("test"),
    "TOLLCAST_START_LIMIT": "",
    "TOLLCAST_LOGIN_ADDRESS_LIMIT": "",
    "TOLLCAST_DENYLIST_DIR": "/dev/null",  # set, since only such a gateway sees the addresses of clients
}


class MovableClock:
    """The real time, and a shift that tests add to."""

    def __init__(self) -> None:
        self.shift_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.shift_ms


def build_services(patch: pytest.MonkeyPatch) -> bootstrap.Container:
    """Return the container that the app uses, over stores in memory, with a movable clock."""
    settings = config.load(ENVIRONMENT)
    patch.setattr(bootstrap.config, "load", lambda: settings)
    bootstrap.container.cache_clear()
    services = bootstrap.container()
    services.stores = memory_stores(settings)
    services.stores.clock = MovableClock()
    return services


def drop_services() -> None:
    """Let the app build its container from the environment again."""
    bootstrap.container.cache_clear()
