"""Caching, authorization and errors of nginx."""

import json
import subprocess

import pytest

from chalicelib.domain.end_reasons import EndReason
from gateway.nginx.config import render
from tests.integration.gateway.nginx.harness import SEGMENT, assert_problem, nginx_argv

A, B, C = "a" * 26, "b" * 26, "c" * 26
MEDIA = ("index.m3u8", "720p/1.ts")


def test_nginx_accepts_the_configuration(nginx_config):
    path = nginx_config.state_dir / "check.conf"
    path.write_text(render(nginx_config))
    argv = [*nginx_argv(nginx_config.state_dir, path), "-t"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10)
    assert done.returncode == 0 and "warn" not in done.stderr, done.stderr


def test_a_segment_is_cached_across_sessions_of_a_stream(gateway):
    first = gateway.get("720p/1-000001.ts", A)
    assert (first.status_code, first.content) == (200, SEGMENT)
    assert gateway.get("720p/1-000001.ts", C).content == SEGMENT
    assert gateway.get("720p/1-000001.ts", B).content == SEGMENT
    assert gateway.hits("stream-1/720p/1-000001.ts") == 1
    assert gateway.hits("stream-2/720p/1-000001.ts") == 1
    assert "x-amz-request-id" not in first.headers


def test_sessions_never_share_an_authorization(gateway):
    gateway.rule.over[B] = EndReason.KICKED
    assert gateway.get("720p/1.ts", A).status_code == 200
    assert gateway.get("720p/1.ts", B).status_code == 403
    assert gateway.get("720p/1.ts", B, token="t-" + A).status_code == 401
    assert gateway.get("720p/1.ts", A, token="t-" + B).status_code == 401
    assert gateway.get("720p/1.ts", A).status_code == 200


def test_the_denylist_applies_to_the_next_request(gateway):
    for path in MEDIA:
        assert gateway.get(path).status_code == 200
    gateway.rule.asked.clear()
    gateway.denylist.deny_session(A, EndReason.KICKED)
    gateway.rule.over[A] = EndReason.KICKED
    for answer in [gateway.get(path) for path in MEDIA * 20]:
        assert_problem(answer, 403, "kicked")
        assert answer.json()["end_reason"] == "kicked"
    assert gateway.rule.asked[A] <= 4  # a denial is cached beside the older authorization, for a second
    assert gateway.get("720p/1.ts", C).status_code == 200


@pytest.mark.parametrize("marker", ["sessions/.kept", "streams/.kept"])
def test_nothing_is_served_without_a_readable_denylist(gateway, nginx_config, marker):
    (nginx_config.denylist_dir / marker).unlink()
    for path in MEDIA:
        assert_problem(gateway.get(path), 503, "unavailable")
    gateway.denylist.prepare()
    assert gateway.get("index.m3u8", C).status_code == 200


def test_refusals_are_cached_for_a_second(gateway):
    for _ in range(10):
        gateway.get("index.m3u8", token="wrong")
    assert gateway.rule.asked[A] <= 4  # an authorization and a denial, twice if a second passes


def test_an_authorization_without_a_valid_stream_is_a_refusal(gateway):
    for stream in ("", "../secret", "stream-1/../x", "UPPER", "a\r\nX: y"):
        gateway.rule.streams[A] = stream
        assert [gateway.get(path).status_code for path in MEDIA] == [503, 503], stream
    assert not gateway.s3.hits


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
        assert_problem(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "GET, HEAD"


def test_missing_objects_and_a_failing_store(gateway):
    gateway.s3.missing.add("/media/streams/stream-1/720p/9.ts")
    assert_problem(gateway.get("720p/9.ts"), 404, "not_found")
    gateway.s3.failing = True
    answer = gateway.get("720p/10.ts")
    assert_problem(answer, 502, "unavailable")
    assert b"Error" not in answer.content
    gateway.s3.failing = False
    assert gateway.get("720p/10.ts").status_code == 200


def test_errors_of_nginx_are_problem_documents(gateway):
    assert_problem(gateway.client.post(gateway.url + "/x", content=b"x" * 70_000), 413, "body_too_large")
    assert_problem(gateway.client.get(gateway.url + "/healthz"), 502, "unavailable")


def test_responses_to_malformed_requests_are_problem_documents(gateway):
    for request in (b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"):
        answer = gateway.exchange(request)
        assert json.loads(answer[answer.index(b"{") :])["status"] == 400, request


def test_the_log_contains_no_secrets(gateway):
    gateway.get("720p/1.ts?token=hunter2", A, **{"X-Request-ID": "request-77"})
    gateway.s3.failing = True
    gateway.get("720p/2.ts", A)
    text = gateway.stop()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    first = next(line for line in lines if line.get("session") == A)
    assert first["request_id"] == "request-77"
    assert (first["stream"], first["status"], first["cache"]) == ("stream-1", 200, "MISS")
    assert first["path"] == f"/play/{A}/720p/1.ts"
    assert any(line.get("origin_path") and line["upstream_status"] == "500" for line in lines)
    for secret in ("hunter2", "t-" + A, "signed="):
        assert secret not in text
