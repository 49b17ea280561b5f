"""A canary ends its run at a server that sends byte by byte without an end, where each read is fast enough."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread

import pytest

import canary.run as run_module
from canary.__main__ import run_once
from canary.credentials import Credentials
from canary.time_limit import TookTooLongError, within

CREDENTIALS = Credentials(email="canary@local", password="secret", service_key="tck_key")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"


def test_a_call_returns_or_raises_as_without_a_limit() -> None:
    assert within(5, lambda: "answer") == "answer"

    def fail() -> None:
        raise TimeoutError("of the call")

    with pytest.raises(TimeoutError, match="of the call"):
        within(5, fail)
    with pytest.raises(TookTooLongError, match="within 0 s"):
        within(-1, Event().wait)


@pytest.fixture
def dripping_url() -> Iterator[str]:
    """Return the address of a server that never ends its answer."""
    is_over = Event()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(HEAD)
            while not is_over.wait(0.02):
                connection.sendall(b" ")

    def accept(server: socket.socket) -> None:
        while not is_over.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            Thread(target=drip, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=accept, args=(server,), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        is_over.set()


def test_a_run_ends_at_a_server_that_drips(
    dripping_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_module, "RUN_S_MAX", 0.2)
    monkeypatch.setattr("canary.__main__.REPORT_S_MAX", 0.2)
    began = time.monotonic()
    assert not run_once(dripping_url, CREDENTIALS, None)
    assert time.monotonic() - began < 10
    printed = capsys.readouterr()
    assert "login     FAILED" in printed.out and "no end within" in printed.out
    assert "could not be reported: There was no end within" in printed.err
