"""Time series through nginx: compressed, unchanged ones not sent again, and all else of the API as it is."""

import json

import pytest

from tests.integration.gateway.nginx.harness import assert_problem, serving, wsgi_server

TAG = '"abc"'
BODY = json.dumps({"series": {"egress_bytes": [123_456_789] * 1_440}}).encode()
SEEN = ("HTTP_HOST", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_FOR", "HTTP_X_REQUEST_ID", "QUERY_STRING")


@pytest.fixture
def seen(gateway, nginx_config):
    """Serve the same answer at every path of the API. Return what nginx sent with each request."""
    requests = []

    def api(environ, start_response):
        requests.append({name: environ.get(name) for name in SEEN})
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("ETag", TAG)]
        # A gateway that compressed an answer has made its tag weak.
        unchanged = environ.get("HTTP_IF_NONE_MATCH", "").removeprefix("W/") == TAG
        start_response("304 Not Modified" if unchanged else "200 OK", headers)
        return [] if unchanged else [BODY]

    with serving(wsgi_server(nginx_config.api_socket, api)):
        yield requests


def test_series_are_compressed_and_other_answers_of_the_api_are_not(gateway, seen):
    compressed = {"Accept-Encoding": "gzip", "X-Forwarded-For": "192.0.2.9"}
    series = gateway.client.get(gateway.url + "/monitoring/series?step=60", headers=compressed)
    assert (series.status_code, series.content, series.headers["Content-Encoding"]) == (200, BODY, "gzip")
    assert int(series.num_bytes_downloaded) < len(BODY) / 10
    other = gateway.client.get(gateway.url + "/monitoring/overview?step=60", headers=compressed)
    assert (other.content, other.headers["ETag"]) == (BODY, TAG) and "Content-Encoding" not in other.headers
    first, second = ({**each, "HTTP_X_REQUEST_ID": ""} for each in seen)
    assert first == second and first["HTTP_X_FORWARDED_FOR"] == first["HTTP_X_REAL_IP"] == "127.0.0.1"
    assert set(series.headers) - {"content-encoding", "transfer-encoding"} <= set(other.headers)


def test_unchanged_series_are_not_sent_again(gateway, seen):
    compressed = {"Accept-Encoding": "gzip"}
    tag = gateway.client.get(gateway.url + "/monitoring/series", headers=compressed).headers["ETag"]
    assert tag.removeprefix("W/") == TAG
    for path in ("/monitoring/series", "/monitoring/overview"):
        again = gateway.client.get(gateway.url + path, headers={**compressed, "If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert len(b"\r\n".join(name + b": " + value for name, value in again.headers.raw)) < 1_000


def test_characters_that_no_url_has_are_refused_here_too(gateway, seen):
    answer = gateway.exchange(b"GET /monitoring/series?names=\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert json.loads(answer[answer.index(b"{") :])["status"] == 400 and not seen


def test_an_api_that_is_down_is_a_problem_document(gateway):
    assert_problem(gateway.client.get(gateway.url + "/monitoring/series"), 502, "unavailable")
