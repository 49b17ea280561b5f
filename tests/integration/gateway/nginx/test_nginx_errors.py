"""Failures behind nginx become problem documents, and leave no query strings in the error log."""

import json
import socket

from chalicelib.domain.end_reasons import EndReason
from tests.integration.gateway.nginx.harness import assert_problem, serving, wsgi_server

A, C = "a" * 26, "c" * 26
SECRET = "hunter2"
MEDIA = (f"index.m3u8?token={SECRET}", f"720p/1.ts?token={SECRET}")
# Characters that JSON writes as six characters, or two.
WILD = "\x01\\" * 1_000


def test_endpoints_that_are_down(gateway, nginx_config):
    assert gateway.get("720p/1.ts").status_code == 200
    gateway.endpoints.shutdown()
    gateway.endpoints.server_close()
    nginx_config.endpoints_socket.unlink()
    assert gateway.get("720p/1.ts").status_code == 200  # the cached authorization lasts as long as its lease
    for path in MEDIA:
        assert_problem(gateway.get(path, C), 503, "unavailable")
    gateway.denylist.deny_session(A, EndReason.KICKED)
    assert gateway.get("720p/1.ts").status_code == 503
    assert SECRET not in gateway.stop()


def test_an_api_that_is_down(gateway, nginx_config):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(nginx_config.api_socket))
        assert gateway.client.get(f"{gateway.url}/me?token={SECRET}").status_code == 502
    assert SECRET not in gateway.stop()


def test_a_request_that_the_endpoints_cannot_parse(gateway):
    """They respond like gunicorn."""

    def wsgi(environ, start_response):
        start_response("400 Bad Request", [("Content-Type", "text/html"), ("Content-Length", "6")])
        return [b"<html>"]

    gateway.endpoints.set_app(wsgi)
    assert_problem(gateway.get(f"index.m3u8?token={SECRET}"), 400, "invalid_request")
    assert SECRET not in gateway.stop()


def test_log_lines_are_short_for_any_request(gateway, nginx_config):
    """A pipe writes short lines atomically; longer ones of nginx's two processes could mix."""

    def wsgi(environ, start_response):
        start_response("405 Method Not Allowed", [("Content-Length", "0")])
        return [b""]

    hostile = {"User-Agent": '\x7f\t"\\' * 400, "X-Request-ID": "r" * 64}
    gateway.get("720p/" + "x" * 3_000 + ".ts", A, **hostile)
    head = f"{'M' * 4_000} /{'x' * 2_000} HTTP/1.1\r\nHost: x\r\nUser-Agent: {WILD}\r\n"
    with serving(wsgi_server(nginx_config.api_socket, wsgi)):
        answer = gateway.exchange(f"{head}X-Request-ID: {'r' * 3_000}\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 405 ")
    lines = [each for each in gateway.stop().splitlines() if "/xxx" in each]
    assert all(len(line.encode()) < 4_096 for line in lines)
    # Two processes of nginx log in any order.
    assert sorted(json.loads(line)["method"] for line in lines) == ["GET", "other"]
