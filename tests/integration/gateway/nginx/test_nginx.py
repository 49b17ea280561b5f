"""Caching, authorization and errors of nginx."""

import http.client
import json
import socket
import subprocess
import time

import pytest

from chalicelib.domain.end_reasons import EndReason
from gateway.nginx.config import render
from tests.integration.gateway.nginx.harness import SEGMENT

A, B, C = "a" * 26, "b" * 26, "c" * 26


def raw(gateway, target, method="GET", token="t-" + A):
    """Send a request with an unchanged target."""
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=10)
    connection.putrequest(method, target, skip_accept_encoding=True)
    connection.putheader("Authorization", f"Bearer {token}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_nginx_accepts_the_configuration(nginx_config):
    path = nginx_config.state_dir / "check.conf"
    path.write_text(render(nginx_config))
    done = subprocess.run(
        ["/usr/sbin/nginx", "-t", "-p", str(nginx_config.state_dir), "-c", str(path), "-e", "stderr"],
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_a_segment_is_cached_across_sessions_of_a_stream(gateway):
    first = gateway.get("720p/1-000001.ts", A)
    assert (first.status_code, first.content) == (200, SEGMENT)
    assert gateway.get("720p/1-000001.ts", C).content == SEGMENT
    assert gateway.get("720p/1-000001.ts", B).content == SEGMENT
    assert gateway.hits("stream-1/720p/1-000001.ts") == 1
    assert gateway.hits("stream-2/720p/1-000001.ts") == 1
    assert "x-amz-request-id" not in first.headers


def test_authorizations_are_cached_by_session_and_token(gateway):
    for _ in range(5):
        assert gateway.get("720p/1.ts", A).status_code == 200
    assert gateway.rule.asked[A] == 1
    assert gateway.get("720p/1.ts", A, token=f"t-{A}-fresh").status_code == 200
    assert gateway.rule.asked[A] == 2


def test_sessions_never_share_an_authorization(gateway):
    gateway.rule.over[B] = EndReason.KICKED
    assert gateway.get("720p/1.ts", A).status_code == 200
    assert gateway.get("720p/1.ts", B).status_code == 403
    assert gateway.get("720p/1.ts", B, token="t-" + A).status_code == 401
    assert gateway.get("720p/1.ts", A, token="t-" + B).status_code == 401
    assert gateway.get("720p/1.ts", A).status_code == 200


def test_an_authorization_is_cached_no_longer_than_its_lease(gateway):
    gateway.rule.lease_ms = 2_000
    began = time.time()
    assert gateway.get("720p/1.ts").status_code == 200
    gateway.rule.over[A] = EndReason.BALANCE_EXHAUSTED
    while (status := gateway.get("720p/1.ts").status_code) == 200:
        assert time.time() - began < 2.2
        time.sleep(0.05)
    assert status == 402


def test_an_expired_authorization_is_not_cached(gateway):
    gateway.rule.lease_ms = -500  # within the grace period
    assert [gateway.get("720p/1.ts").status_code for _ in range(3)] == [200, 200, 200]
    assert gateway.rule.asked[A] == 3


def test_the_denylist_applies_to_the_next_request(gateway):
    for path in ("index.m3u8", "720p/1.ts"):
        assert gateway.get(path).status_code == 200
    gateway.denylist.deny_session(A, EndReason.KICKED)
    gateway.rule.over[A] = EndReason.KICKED
    for path in ("index.m3u8", "720p/1.ts"):
        answer = gateway.get(path)
        assert (answer.status_code, answer.json()["end_reason"]) == (403, "kicked")
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert gateway.get("720p/1.ts", C).status_code == 200


def test_a_denied_stream_is_refused_even_if_the_access_rule_lags(gateway):
    assert gateway.get("720p/1.ts", A).status_code == 200
    gateway.denylist.deny_stream("stream-1", EndReason.STREAM_PAUSED)
    for path in ("index.m3u8", "720p/1.ts"):
        answer = gateway.get(path)
        assert (answer.status_code, answer.json()["code"]) == (410, "stream_paused")
    assert gateway.get("720p/1.ts", B).status_code == 200
    gateway.denylist.allow_stream("stream-1")
    assert gateway.get("720p/1.ts", A).status_code == 200


@pytest.mark.parametrize("marker", ["sessions/.kept", "streams/.kept"])
def test_nothing_is_served_without_a_readable_denylist(gateway, nginx_config, marker):
    (nginx_config.denylist_dir / marker).unlink()
    for path in ("index.m3u8", "720p/1.ts"):
        answer = gateway.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    gateway.denylist.prepare()
    assert gateway.get("index.m3u8", C).status_code == 200


def test_denials_have_their_real_status(gateway):
    for reason, status in [("lease_expired", 402), ("superseded", 403), ("viewer_stopped", 410)]:
        gateway.rule.over[A] = EndReason(reason)
        answer = gateway.get("index.m3u8", token=f"t-{A}-{reason}")
        assert (answer.status_code, answer.json()["end_reason"]) == (status, reason)
        assert answer.headers["Cache-Control"] == "no-store"
    assert gateway.client.get(f"{gateway.url}/play/{A}/index.m3u8").json()["code"] == "token_invalid"


def test_refusals_are_cached_for_a_second(gateway):
    for _ in range(10):
        gateway.get("index.m3u8", token="wrong")
    assert gateway.rule.asked[A] <= 4  # an authorization and a denial, twice if a second passes


@pytest.mark.parametrize("path", ["index.m3u8", "720p/1.ts"])
def test_the_denial_of_a_kick_is_cached_beside_an_older_authorization(gateway, path):
    assert gateway.get(path).status_code == 200
    gateway.rule.asked.clear()
    gateway.rule.over[A] = EndReason.KICKED
    gateway.denylist.deny_session(A, EndReason.KICKED)
    answers = [gateway.get(path) for _ in range(20)]
    assert {(each.status_code, each.headers.get("Cache-Control")) for each in answers} == {(403, "no-store")}
    assert all(len(each.headers.get_list("X-Content-Type-Options")) == 1 for each in answers)
    assert gateway.rule.asked[A] <= 2  # a denial, twice if a second passes


TRICKS = [
    f"/play/{A}/../{B}/720p/1.ts",
    f"/play/{A}/%2e%2e/{B}/720p/1.ts",
    f"/play/{A}/720p/%2e%2e/../../{B}/720p/1.ts",
    f"/play/{A}//720p/1.ts",
    f"//play/{A}/720p/1.ts",
    f"/play//{A}/720p/1.ts",
    f"/play/{A}/720p/1.ts%00",
    f"/play/{A}/720p/1.ts%0a",
    f"/play/{A}/720p/..%2f1.ts",
    f"/play/{A}/720p/1.ts/",
    f"/play/{A}/720p/1.mp4",
    f"/play/{A}/x/y/1.ts",
    f"/play/{A}/720p/../../../../etc/1.ts",
    f"/play/{A}x/720p/1.ts",
    f"/play/{A.upper()}/720p/1.ts",
    f"/play/{A}/streams/1.m3u8",
    "/play/",
    "/play/index.m3u8",
    "/_verdict",
    "/_sign",
    "/_problem/404",
    "/streams/stream-1/720p/1.ts",
]


@pytest.mark.parametrize("target", TRICKS)
def test_manipulated_paths_are_refused(gateway, target):
    answer, body = raw(gateway, target)
    assert answer.status in (400, 401, 403, 404, 502), (answer.status, body)
    assert b"#EXTM3U" not in body and body != SEGMENT
    assert answer.getheader("Content-Type") == "application/problem+json"
    assert not gateway.s3.hits


def test_an_encoded_path_of_the_session_is_served(gateway):
    answer, _ = raw(gateway, f"/play/{B}/../{A}/720p/1.ts")
    assert answer.status == 200
    assert gateway.hits("stream-1/720p/1.ts") == 1
    assert gateway.rule.asked[B] == 0


@pytest.mark.parametrize("stream", ["", "../secret", "stream-1/../x", "UPPER"])
def test_an_authorization_without_a_valid_stream_is_a_refusal(gateway, stream):
    gateway.rule.streams[A] = stream
    for path in ("index.m3u8", "720p/1.ts"):
        assert gateway.get(path).status_code == 503
    assert not gateway.s3.hits


def test_refusal_when_the_access_rule_fails(gateway):
    gateway.rule.broken = True
    answer = gateway.get("index.m3u8")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    gateway.rule.broken = False
    time.sleep(2.1)  # the denial is cached for one second
    assert gateway.get("index.m3u8").status_code == 200


def test_refusal_when_the_endpoints_are_down(gateway, nginx_config):
    assert gateway.get("720p/1.ts").status_code == 200
    gateway.endpoints.shutdown()
    gateway.endpoints.server_close()
    nginx_config.endpoints_socket.unlink()
    assert gateway.get("720p/1.ts").status_code == 200  # the cached authorization lasts as long as its lease
    answer = gateway.get("720p/1.ts", C)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    gateway.denylist.deny_session(A, EndReason.KICKED)
    assert gateway.get("720p/1.ts", A).status_code == 503


def test_ranges_and_head(gateway):
    answer = gateway.get("720p/1.ts", Range="bytes=10-19")
    assert (answer.status_code, answer.content) == (206, SEGMENT[10:20])
    assert gateway.get("720p/1.ts", Range="bytes=10-19").content == SEGMENT[10:20]
    head = gateway.get("720p/2.ts", method="HEAD")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(SEGMENT)))
    assert gateway.get("index.m3u8", method="HEAD").status_code == 200
    assert gateway.get("720p/1.ts", Range="bytes=99999999-").status_code == 416


def test_only_get_and_head(gateway):
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = gateway.get("index.m3u8", method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert answer.json()["code"] == "method_not_allowed"


def test_missing_objects_and_a_failing_store(gateway):
    gateway.s3.missing.add("/media/streams/stream-1/720p/9.ts")
    answer = gateway.get("720p/9.ts")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers.get_list("Cache-Control") == ["no-store"]
    gateway.s3.failing = True
    answer = gateway.get("720p/10.ts")
    assert (answer.status_code, answer.json()["code"]) == (502, "unavailable")
    assert b"Error" not in answer.content
    gateway.s3.failing = False
    assert gateway.get("720p/10.ts").status_code == 200


def test_errors_of_nginx_are_problem_documents(gateway):
    big = gateway.client.post(gateway.url + "/x", content=b"x" * 70_000)
    assert (big.status_code, big.json()["code"]) == (413, "body_too_large")
    long = gateway.client.get(gateway.url + "/" + "x" * 9_000)
    assert (long.status_code, long.json()["code"]) == (414, "address_too_long")
    heavy = gateway.client.get(gateway.url + "/", headers={"X-Big": "x" * 9_000})
    assert (heavy.status_code, heavy.json()["code"]) == (431, "headers_too_large")
    api_down = gateway.client.get(gateway.url + "/healthz")
    assert (api_down.status_code, api_down.json()["code"]) == (502, "unavailable")
    for answer in (big, long, heavy, api_down):
        assert answer.headers.get_list("Cache-Control") == ["no-store"]
        assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"]


@pytest.mark.parametrize(
    "request_text",
    [
        "GET / HTTP/1.1\r\n\r\n",
        "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_responses_to_malformed_requests_are_problem_documents(gateway, request_text):
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request_text.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert json.loads(answer[answer.index(b"{") :])["status"] == 400


def test_the_log_contains_no_secrets(gateway):
    gateway.get("720p/1.ts?token=hunter2", A, **{"X-Request-ID": "request-77"})
    gateway.s3.failing = True
    gateway.get("720p/2.ts", A)
    gateway.process.terminate()
    gateway.process.wait(10)
    text = gateway.log_path.read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    first = next(line for line in lines if line.get("session") == A)
    assert first["request_id"] == "request-77"
    assert (first["stream"], first["status"], first["cache"]) == ("stream-1", 200, "MISS")
    assert first["path"] == f"/play/{A}/720p/1.ts"
    assert any(line.get("origin_path") and line["upstream_status"] == "500" for line in lines)
    for secret in ("hunter2", "t-" + A, "signed="):
        assert secret not in text
