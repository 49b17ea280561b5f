"""What goes wrong behind nginx leaves no query strings in its log of errors, and is a problem for the viewer."""

import socket

import httpx
import pytest

A = "a" * 26
SECRET = "hunter2"


def errors(gateway) -> str:
    """All that nginx has written, once it has ended."""
    gateway.process.terminate()
    gateway.process.wait(10)
    return gateway.log_path.read_text()


def test_a_rule_that_cannot_answer(gateway):
    gateway.rule.broken = True
    for path in ("index.m3u8", "720p/1.ts"):
        assert gateway.get(f"{path}?token={SECRET}").status_code == 503
    assert SECRET not in errors(gateway)


def test_endpoints_that_are_gone(gateway, nginx_config):
    gateway.endpoints.shutdown()
    gateway.endpoints.server_close()
    nginx_config.endpoints_socket.unlink()
    for path in ("index.m3u8", "720p/1.ts"):
        assert gateway.get(f"{path}?token={SECRET}").status_code == 503
    assert SECRET not in errors(gateway)


def test_an_api_that_takes_nobody(gateway, nginx_config):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(nginx_config.api_socket))
        assert gateway.client.get(f"{gateway.url}/me?token={SECRET}").status_code == 502
    assert SECRET not in errors(gateway)


@pytest.fixture
def unreadable(gateway):
    """Endpoints that cannot read a request, and say so as gunicorn does."""

    def wsgi(environ, start_response):
        start_response("400 Bad Request", [("Content-Type", "text/html"), ("Content-Length", "6")])
        return [b"<html>"]

    gateway.endpoints.set_app(wsgi)
    return gateway


def test_a_request_that_the_endpoints_cannot_read(unreadable):
    answer: httpx.Response = unreadable.get(f"index.m3u8?token={SECRET}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert SECRET not in errors(unreadable)
