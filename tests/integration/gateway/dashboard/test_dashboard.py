"""nginx serves the dashboard: which file at which address, with which headers, and nothing else."""

import re
import shutil
from dataclasses import replace

import pytest

from gateway.nginx.dashboard import CONTENT_SECURITY_POLICY, HEADERS
from tests.integration.gateway.dashboard.conftest import PAGE, SCRIPT
from tests.integration.gateway.nginx.conftest import new_config, running
from tests.integration.gateway.nginx.harness import assert_problem

ASSET = "/admin/assets/index-A1b2_c3.js"


@pytest.mark.parametrize(
    "path", ["", "streams", "streams/stream-1?tab=health", "users/u_1/", "no.such", "index.html", "a//b", "%7Eme"]
)
def test_every_address_is_the_page(page, path):
    answer = page("/admin/" + path)
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers.get_list("Cache-Control") == ["no-cache"]
    assert page("/admin/" + path, **{"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_hashed_files_are_kept_for_good(page):
    answer = page(ASSET)
    assert (answer.status_code, answer.text) == (200, SCRIPT)
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers.get_list("Cache-Control") == ["public, max-age=31536000, immutable"]
    assert page("/admin/assets/index-A.css").headers["Content-Type"] == "text/css; charset=utf-8"
    icon = page("/admin/icon.svg")
    assert (icon.headers["Content-Type"], icon.headers["Cache-Control"]) == ("image/svg+xml; charset=utf-8", "no-cache")


def test_files_are_sent_compressed(page):
    small, whole = (page(ASSET, **{"Accept-Encoding": accepted}) for accepted in ("gzip", "identity"))
    assert (small.headers["Content-Encoding"], whole.headers.get("Content-Encoding")) == ("gzip", None)
    assert int(small.headers["Content-Length"]) < int(whole.headers["Content-Length"]) / 10
    assert small.text == whole.text == SCRIPT
    assert small.headers["Vary"] == whole.headers["Vary"] == "Accept-Encoding"


def test_the_address_without_a_slash_leads_to_the_page(page):
    answer = page("/admin")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/admin/")


@pytest.mark.parametrize("path", ["assets/index-old.js", "assets/", "assets", "assets/a/b.js", "assets/x.js/../y.js"])
def test_a_missing_file_is_never_the_page(page, path):
    if path == "assets":
        # A directory is no file.
        assert page("/admin/assets").text == PAGE
    else:
        assert_problem(page("/admin/" + path), 404, "not_found")


def test_nothing_else_can_be_read(gateway):
    """By requests that no client library would send."""
    hidden = ["/admin/.secret", "/admin/assets/.secret", "/admin/a/.secret", "/admin/%2esecret"]
    above = ["/admin/../secret.txt", "/admin/assets/../../secret.txt", "/admin/%2e%2e/secret.txt"]
    above += [
        "/admin/..%2fsecret.txt",
        "/admin/assets/..%2f..%2fsecret.txt",
        "/admin/assets%2f.secret",
        "/admin//../.secret",
    ]
    for path in hidden + above:
        answer = gateway.exchange(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert b"hush" not in answer, path
        assert not answer.startswith(b"HTTP/1.1 200"), path


@pytest.mark.parametrize("path", ["/admin/", "/admin/streams", "/admin/icon.svg", ASSET])
def test_each_answer_has_the_headers_of_security(page, path):
    headers = page(path).headers
    for name, value in HEADERS.items():
        assert headers.get_list(name) == [value]
    assert headers.get_list("X-Content-Type-Options") == ["nosniff"]
    assert headers.get_list("Referrer-Policy") == ["no-referrer"]
    assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-ID"])
    assert "unsafe" not in CONTENT_SECURITY_POLICY and "*" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("path", ["/admin/", "/admin/streams", "/admin/icon.svg", ASSET])
def test_only_reading_is_accepted(page, path):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = page(path, method)
        assert_problem(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "GET, HEAD"
    answer = page(path, "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")


def test_requests_are_limited_by_address(dist):
    with new_config() as config:
        limited = replace(config, dashboard_dir=dist, requests_per_address_per_s=1)
        for path in ("/admin/", "/admin/icon.svg", ASSET):
            with running(limited) as gateway:
                found = [gateway.client.get(gateway.url + path).status_code for _ in range(6)]
            assert 429 in found and found[0] != 429, path


def test_a_dashboard_that_is_not_built(gateway, page, dist):
    shutil.rmtree(dist)
    for path in ("/admin/", "/admin/streams", "/admin/icon.svg"):
        answer = page(path)
        assert_problem(answer, 404, "not_found")
        assert "make up" in answer.json()["detail"]
    assert_problem(page(ASSET), 404, "not_found")


def test_a_build_replaces_the_page_at_once(gateway, page, dist):
    before = page("/admin/").headers["ETag"]
    dist.rename(dist.with_name("old"))
    dist.mkdir()
    (dist / "index.html").write_text("second build")
    answer = page("/admin/", **{"If-None-Match": before})
    assert (answer.status_code, answer.text) == (200, "second build")
