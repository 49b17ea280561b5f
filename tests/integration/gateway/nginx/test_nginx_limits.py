"""The limits of one address."""

import socket
from collections import Counter
from dataclasses import replace

import pytest

from chalicelib.adapters.access.file_denylist import FileDenylist
from tests.fixtures.ports import free_port
from tests.fixtures.waiting import eventually
from tests.integration.gateway.nginx.harness import empty, run_nginx

SESSION = "a" * 26


@pytest.fixture
def strict(nginx_config, tmp_path):
    """A gateway with low limits, and an API that never responds."""
    empty(nginx_config)
    FileDenylist(nginx_config.denylist_dir).prepare()
    (tmp_path / "state").mkdir()
    config = replace(
        nginx_config,
        listen=f"127.0.0.1:{free_port()}",
        api_socket=nginx_config.api_socket.with_name("mute.sock"),
        origin_socket=nginx_config.api_socket.with_name("origin-2.sock"),
        state_dir=tmp_path / "state",
        connections_per_address=2,
        requests_per_address_per_s=1,
    )
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(config.api_socket))
        mute.listen(16)
        with run_nginx(config):
            yield config
    config.api_socket.unlink()


@pytest.fixture
def connections():
    opened: list[socket.socket] = []
    yield opened
    for connection in opened:
        connection.close()


def ask(config, path: str, connections: list[socket.socket]) -> str:
    """Return head and body of the response, or nothing if there is none within a moment."""
    host, port = config.listen.split(":")
    connection = socket.create_connection((host, int(port)), timeout=1.0)
    connections.append(connection)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    try:
        return b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    except TimeoutError:
        return ""


def test_connections_of_an_address_are_limited(strict, connections):
    assert [ask(strict, "/me", connections) for _ in range(2)] == ["", ""], "the API does not answer"
    refused = ask(strict, "/me", connections)
    assert refused.startswith("HTTP/1.1 429 ") and '"code": "too_many_requests"' in refused
    connections[0].close()
    eventually(lambda: ask(strict, "/me", connections) == "", 5, "its place is free again")


def test_requests_of_an_address_are_limited(strict, connections):
    path = f"/play/{SESSION}/index.m3u8"
    answers = Counter(ask(strict, path, connections).split(" ")[1] for _ in range(6))
    # One, the burst of two, and those that the duration of the test allows.
    assert answers.pop("429") >= 2, answers
    assert set(answers) == {"503"} and sum(answers.values()) >= 3, "there are no endpoints to ask"
    last = ask(strict, path, connections)
    assert "Retry-After: 1" in last and "application/problem+json" in last
