"""Fixtures for all tests. fixtures/README.md lists them."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

FIXTURES = ("emulator", "log_lines", "sharing", "stack")
pytest_plugins = [f"tests.fixtures.{name}" for name in FIXTURES]

UNIT = ROOT / "tests" / "unit"


class NetworkUsed(AssertionError):
    """A unit test opened a connection."""


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    if not request.path.is_relative_to(UNIT):
        yield
        return

    def refuse(self: socket.socket, address: object) -> None:
        raise NetworkUsed(f"a unit test connects to {address!r}. Use a fake, or move the test to tests/integration.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket.socket, "connect_ex", refuse)
        yield
