"""Every page of the dashboard: opens by its address, in both themes, narrow, for each role, with text as text."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.conftest import STAFF_PASSWORD
from tests.dashboard.dashboard import Dashboard
from tests.e2e.conftest import STREAM_ID, Platform, Viewer

Opened = Callable[..., Dashboard]
PAGES = {
    "": "Overview",
    "?charts=day": "Overview",
    "streams": "Streams",
    "streams/new": "New stream",
    f"streams/{STREAM_ID}": None,
    **{f"streams/{STREAM_ID}?tab={tab}": None for tab in ("log", "ingest", "settings", "sessions")},
    "viewers": "Live viewers",
    "viewers?view=rows": "Live viewers",
    "sessions": "Sessions",
    "sessions?state=active": "Sessions",
    "users": "Users",
    **{f"money?tab={tab}": "Money" for tab in ("totals", "payments", "reconciliation")},
    **{
        f"system?tab={tab}": "System"
        for tab in ("health", "workers", "gateway", "queues", "canary", "errors", "audit", "keys")
    },
}
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
SCRIPT = '<img src=x onerror="window.injected = 1"><script>window.injected = 1</script>'


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_opens_by_its_address_is_accessible_and_fits_a_narrow_screen(
    platform: Platform, opened: Opened, viewer: Callable[[int], Viewer], scheme: str
) -> None:
    watcher = viewer(50_000)
    started = platform.http.post("/playback/start", json={"stream_id": STREAM_ID}, headers=watcher.headers).json()
    user_id = watcher.wallet()["user_id"]
    dashboard = opened(color_scheme=scheme)
    more = {f"users/{user_id}": watcher.email, f"sessions/{started['session_id']}": None}
    faults = {}
    for path, heading in {**PAGES, **more}.items():
        dashboard.page.set_viewport_size(WIDE)
        dashboard.open(path, heading)
        expect(dashboard.page.locator("main").get_by_text("Loading …")).to_have_count(0)
        found = [*dashboard.accessibility_faults(), *dashboard.policy_reports()]
        dashboard.page.set_viewport_size(NARROW)
        found += ["scrolls sideways"] if dashboard.is_wide() else []
        if found:
            faults[path] = found
    assert faults == {}
    platform.http.post("/playback/stop", json={"session_id": started["session_id"]}, headers=watcher.headers)


@pytest.mark.parametrize(
    ("role", "pages", "hidden"),
    [("operator", {"Overview", "Streams", "Live viewers", "Sessions", "Users", "System"}, "money"),
     ("finance", {"Overview", "Live viewers", "Sessions", "Users", "Money", "System"}, "streams")],
)  # fmt: skip
def test_pages_and_buttons_follow_the_role(
    opened: Opened,
    add_staff: Callable[[str], str],
    viewer: Callable[[int], Viewer],
    role: str,
    pages: set[str],
    hidden: str,
) -> None:
    user_id = viewer(1_000).wallet()["user_id"]
    dashboard = opened(add_staff(role), STAFF_PASSWORD)
    nav = dashboard.page.get_by_role("navigation", name="Pages")
    expect(nav.get_by_role("link")).to_have_count(len(pages))
    assert {text.strip() for text in nav.get_by_role("link").all_inner_texts()} == pages
    dashboard.page.goto(f"{dashboard.url}/admin/{hidden}")
    expect(dashboard.page.locator("main")).to_contain_text("There is no such page for your role.")
    dashboard.open(f"users/{user_id}")
    expect(dashboard.button("Credit")).to_have_count(1 if role == "finance" else 0)
    expect(dashboard.button("Erase")).to_have_count(0)


def test_a_page_that_cannot_be_loaded_leaves_the_others(opened: Opened) -> None:
    dashboard = opened()
    part = re.compile(r"/assets/system-.*\.js")
    dashboard.page.route(part, lambda route: route.abort())
    dashboard.page.get_by_role("link", name="System").click()
    expect(dashboard.page.get_by_role("alert")).to_contain_text("could not be loaded")
    dashboard.page.get_by_role("link", name="Users").click()
    dashboard.heading("Users")
    dashboard.page.unroute(part)
    dashboard.open("system", "System")
    dashboard.faults.clear()


def test_a_viewer_has_no_pages(platform: Platform, opened: Opened, viewer: Callable[[int], Viewer]) -> None:
    watcher = viewer(1_000)
    dashboard = opened()
    dashboard.button("Account of admin@local").click()
    dashboard.button("Sign out", exact=True).click()
    dashboard.page.get_by_label("Email").fill(watcher.email)
    dashboard.page.get_by_label("Password").fill("a viewer's password")
    dashboard.button("Sign in").click()
    expect(dashboard.page.locator("main")).to_contain_text("This account has no pages here.")


def test_text_of_others_is_shown_as_text(platform: Platform, opened: Opened, viewer: Callable[[int], Viewer]) -> None:
    title = '<b onclick=1>"Film" & more</b>'
    platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"title": title})
    watcher = viewer(50_000)
    user_id = watcher.wallet()["user_id"]
    headers = {**watcher.headers, "User-Agent": SCRIPT}
    started = platform.http.post("/playback/start", json={"stream_id": STREAM_ID}, headers=headers).json()
    note = {"millipoints": 1_000, "payment_id": f"note-{user_id}", "note": SCRIPT[:200]}
    platform.operator("POST", f"/wallets/{user_id}/credit", json=note)
    dashboard = opened()
    dashboard.open("viewers")
    expect(dashboard.page.locator("main")).to_contain_text(title)
    platform.operator(
        "POST", "/playback/kick", json={"session_id": started["session_id"], "message": SCRIPT, "reason": SCRIPT}
    )
    shown = {
        "streams": title, f"streams/{STREAM_ID}": title, "viewers": SCRIPT, "sessions": title,
        f"sessions/{started['session_id']}": SCRIPT, f"users/{user_id}": SCRIPT, "money?tab=payments": SCRIPT,
        "system?tab=audit": SCRIPT, "": None,
    }  # fmt: skip
    for path, text in shown.items():
        dashboard.open(path)
        if text:
            expect(dashboard.page.locator("main")).to_contain_text(text)
        assert dashboard.page.evaluate("window.injected") is None, path
        assert dashboard.policy_reports() == [], path
    platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"title": "Test pattern"})


def test_the_login_is_in_no_script_and_no_address_and_works_in_all_tabs(platform: Platform, opened: Opened) -> None:
    dashboard = opened()
    addresses: list[str] = []
    dashboard.page.on("request", lambda request: addresses.append(request.url))
    assert dashboard.page.evaluate("document.cookie") == ""
    stored = dashboard.page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert "eyJ" not in stored and "@" not in stored, stored
    tabs = [dashboard.page, *(dashboard.new_tab() for _ in range(3))]
    for _ in range(2):  # Reloads of several tabs at once use the same cookie.
        for tab in tabs:
            tab.goto(f"{dashboard.url}/admin/streams", wait_until="commit")
        for tab in tabs:
            expect(tab.locator("main h1")).to_have_text("Streams")
    assert not [each for each in addresses if re.search(r"token|eyJ", each)]
    _refuses_another_site(platform, dashboard.new_tab())
    dashboard.button("Account of admin@local").click()
    dashboard.button("Sign out", exact=True).click()
    for tab in tabs:
        expect(tab.get_by_label("Email")).to_be_visible()
    dashboard.page.reload()
    expect(dashboard.page.get_by_label("Email")).to_be_visible()


def _refuses_another_site(platform: Platform, tab: Page) -> None:
    """Send the refresh as a form of another site. The browser leaves the cookie out, and the API refuses besides."""
    other = platform.stack.url.replace("127.0.0.1", "localhost") + "/page"
    refresh = f"{platform.stack.url}/auth/browser/refresh"
    form = f'<form method="post" action="{refresh}"><button>Win a prize</button></form>'
    tab.route(other, lambda route: route.fulfill(body=form, content_type="text/html"))
    tab.goto(other)
    with tab.expect_response(refresh) as answered:
        tab.get_by_role("button").click()
    assert (answered.value.status, answered.value.json()["code"]) == (403, "cross_site")
    assert "cookie" not in answered.value.request.all_headers()
