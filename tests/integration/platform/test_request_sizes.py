"""Unusually large requests: nginx or the API answers them with a problem document."""

import socket

import httpx
import pytest

from tests.fixtures.stack import Stack

PROBLEM = "application/problem+json"


def headers(count: int, size: int = 1) -> dict[str, str]:
    return {f"X-Unknown-{number}": "v" * size for number in range(count)}


@pytest.mark.parametrize("path", ["/me", "/nowhere", "/play/nothing/index.m3u8"])
@pytest.mark.parametrize(
    ("query", "extra"),
    [(5_000, {}), (8_000, {}), (0, headers(150)), (0, headers(199)), (0, headers(950)), (0, {"X-Long": "v" * 8_000})],
    ids=["query 5000", "query 8000", "150 headers", "199 headers", "950 headers", "header 8000"],
)
def test_requests_that_nginx_accepts_are_answered_by_the_api(
    stack: Stack, path: str, query: int, extra: dict[str, str]
) -> None:
    answer = httpx.get(stack.url + path + ("?x=" + "q" * query if query else ""), headers=extra)
    assert (answer.status_code, answer.headers["content-type"]) == (401 if path == "/me" else 404, PROBLEM)


@pytest.mark.parametrize(
    ("query", "extra", "status", "code"),
    [
        (9_000, {}, 414, "address_too_long"),
        (0, {"X-Long": "v" * 9_000}, 431, "headers_too_large"),
        (0, headers(10, 5_000), 431, "headers_too_large"),
        (0, headers(2_000), 431, "headers_too_large"),
    ],
    ids=["query", "one header", "long headers", "many headers"],
)
def test_larger_requests_are_refused_by_nginx(
    stack: Stack, query: int, extra: dict[str, str], status: int, code: str
) -> None:
    answer = httpx.get(stack.url + "/me?x=" + "q" * query, headers=extra)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["code"] == code


def test_there_is_no_length_between_the_limits_of_nginx_and_those_of_the_api(stack: Stack) -> None:
    """nginx reads the whole line into a buffer of 8 KiB. gunicorn accepts at most 8190 bytes of it."""
    seen = set()
    for length in range(8_180, 8_200):
        line = "GET /me?x= HTTP/1.1"
        line = line.replace("x=", "x=" + "q" * (length - len(line)))
        with socket.create_connection(("127.0.0.1", stack.layout.port), timeout=10) as connection:
            connection.sendall(f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = connection.makefile("rb").read().decode()
        assert f"Content-Type: {PROBLEM}" in answer, f"{length}: {answer}"
        seen.add(answer.split()[1])
    assert seen == {"401", "414"}
