"""A page of the gateway's /admin/ in Chromium: what its policy refuses, and that the login's cookie works there."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.browser import chromium
from tests.integration.gateway.nginx.conftest import new_config, running
from tests.integration.gateway.nginx.harness import serving, wsgi_server

COOKIE = "tollcast_refresh=hush; Max-Age=1800; Path=/auth/browser; Secure; HttpOnly; SameSite=Strict"
PAGE = """<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="/admin/assets/a.css">
<p style="color: red" onclick="window.inline = 1">text</p><script>window.inline = 1</script>
<script src="/admin/assets/a.js"></script>"""
SCRIPT = """window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.effectiveDirective));
window.ready = true;"""


def api(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Set the cookie at a login, and answer with the cookies of the request."""
    headers = [("Content-Type", "text/plain")]
    if environ["PATH_INFO"] == "/auth/browser/login":
        headers.append(("Set-Cookie", COOKIE))
    start_response("200 OK", headers)
    return [environ.get("HTTP_COOKIE", "none").encode()]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    (tmp_path / "assets").mkdir()
    for name, text in {"index.html": PAGE, "assets/a.js": SCRIPT, "assets/a.css": "p { color: green }"}.items():
        (tmp_path / name).write_text(text)
    with (
        new_config() as config,
        running(replace(config, dashboard_dir=tmp_path)) as gateway,
        serving(wsgi_server(config.api_socket, api)),
        chromium() as browser,
    ):
        page = browser.new_page()
        page.goto(f"{gateway.url}/admin/streams")
        page.wait_for_function("window.ready")
        yield page


def test_the_refresh_cookie_is_kept_and_sent_to_its_path_only_over_plain_http(page: Page) -> None:
    """127.0.0.1 is trustworthy to browsers, so that a Secure cookie works there without TLS."""
    fetched = "path => fetch(path, { method: 'POST' }).then(answer => answer.text())"
    assert page.evaluate(fetched, "/auth/browser/login") == "none"
    assert page.evaluate(fetched, "/auth/browser/refresh") == "tollcast_refresh=hush"
    assert page.evaluate(fetched, "/streams") == "none"
    assert page.evaluate("document.cookie") == ""
    [cookie] = page.context.cookies(page.url.replace("/admin/streams", "/auth/browser"))
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")


def test_the_policy_lets_own_files_run_and_nothing_else(page: Page) -> None:
    assert page.evaluate("getComputedStyle(document.querySelector('p')).color") == "rgb(0, 128, 0)"
    page.click("p")
    assert page.evaluate("window.inline") is None
    refused = "code => { try { new Function('code', code)(); return 'ran' } catch (error) { return error.name } }"
    assert page.evaluate(refused, "document.body.innerHTML = '<b>x</b>'") != "ran"
    html = "() => { try { document.body.innerHTML = '<b>x</b>'; return 'ran' } catch (error) { return error.name } }"
    assert page.evaluate(html) == "TypeError"
    page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {})")
    page.wait_for_function("window.refused.includes('connect-src')")
    assert {"require-trusted-types-for", "connect-src"} <= set(page.evaluate("window.refused"))
