"""Failures behind nginx become problem documents, and leave no query strings in the error log."""

import socket
import threading

import httpx
import pytest

from tests.integration.gateway.nginx.harness import Quiet, UnixServer

A = "a" * 26
SECRET = "hunter2"
# Characters that JSON writes as six characters, or two.
WILD = "\x01\\" * 1_000


def errors(gateway) -> str:
    """Stop nginx and return all of its output."""
    gateway.process.terminate()
    gateway.process.wait(10)
    return gateway.log_path.read_text()


def test_a_failing_access_rule(gateway):
    gateway.rule.broken = True
    for path in ("index.m3u8", "720p/1.ts"):
        assert gateway.get(f"{path}?token={SECRET}").status_code == 503
    assert SECRET not in errors(gateway)


def test_endpoints_that_are_down(gateway, nginx_config):
    gateway.endpoints.shutdown()
    gateway.endpoints.server_close()
    nginx_config.endpoints_socket.unlink()
    for path in ("index.m3u8", "720p/1.ts"):
        assert gateway.get(f"{path}?token={SECRET}").status_code == 503
    assert SECRET not in errors(gateway)


def test_an_api_that_is_down(gateway, nginx_config):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(nginx_config.api_socket))
        assert gateway.client.get(f"{gateway.url}/me?token={SECRET}").status_code == 502
    assert SECRET not in errors(gateway)


@pytest.fixture
def unreadable(gateway):
    """Endpoints that cannot parse a request, and respond like gunicorn."""

    def wsgi(environ, start_response):
        start_response("400 Bad Request", [("Content-Type", "text/html"), ("Content-Length", "6")])
        return [b"<html>"]

    gateway.endpoints.set_app(wsgi)
    return gateway


def test_a_request_that_the_endpoints_cannot_parse(unreadable):
    answer: httpx.Response = unreadable.get(f"index.m3u8?token={SECRET}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert SECRET not in errors(unreadable)


@pytest.fixture
def api(gateway, nginx_config):
    """An API that responds to every request."""

    def wsgi(environ, start_response):
        start_response("405 Method Not Allowed", [("Content-Length", "0")])
        return [b""]

    server = UnixServer(str(nginx_config.api_socket), Quiet)
    server.set_app(wsgi)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("api")
def test_log_lines_are_short_for_any_request(gateway):
    """A pipe writes short lines atomically; longer ones of nginx's two processes could mix."""
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        head = f"{'M' * 4_000} /{'x' * 2_000} HTTP/1.1\r\nHost: x\r\nUser-Agent: {WILD}\r\n"
        connection.sendall(f"{head}X-Request-ID: {'r' * 3_000}\r\nConnection: close\r\n\r\n".encode())
        assert b"".join(iter(lambda: connection.recv(65_536), b"")).startswith(b"HTTP/1.1 405 ")
    [line] = [each for each in errors(gateway).splitlines() if "/xxx" in each]
    assert len(line.encode()) < 4_096
    assert '"method":"other"' in line
