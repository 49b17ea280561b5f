"""A dashboard in a browser, as a person uses it."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

from infra.local.layout import ROOT

AXE = ROOT / "admin" / "node_modules" / "axe-core" / "axe.min.js"
# Several suites share the machine.
SEEN_MS_MAX = 20_000
expect.set_options(timeout=SEEN_MS_MAX)
# What the browser itself writes of answers that a test provokes.
EXPECTED = ("Failed to load resource",)
REPORTS = """window.policyReports = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.policyReports.push(`${event.effectiveDirective} ${event.blockedURI}`));"""
SERIOUS = ("serious", "critical")


class Dashboard:
    """A page, and what was wrong with it: errors of scripts, and what the policy refused."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.faults: list[str] = []
        context.set_default_timeout(SEEN_MS_MAX)
        context.add_init_script(REPORTS)
        self.page = self.new_tab()

    def new_tab(self) -> Page:
        page = self.context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        return page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
            self.faults.append(f"{message.type}: {message.text}")

    def sign_in(self, email: str, password: str) -> "Dashboard":
        self.page.goto(f"{self.url}/admin/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.heading("Overview")
        return self

    def open(self, path: str, heading: str | None = None) -> "Dashboard":
        """Open a page by its address."""
        self.page.goto(f"{self.url}/admin/{path}")
        self.heading(heading)
        return self

    def heading(self, text: str | None = None) -> Locator:
        """Wait for the heading of a page."""
        found = self.page.locator("main h1")
        expect(found).to_be_visible()
        if text is not None:
            expect(found).to_have_text(text)
        return found

    def button(self, name: str, **options: Any) -> Locator:
        return self.page.get_by_role("button", name=name, **options)

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def notice(self, text: str) -> None:
        """Wait for the result of an action."""
        expect(self.page.locator(".notices")).to_contain_text(text)

    def is_wide(self) -> bool:
        """Return whether the page scrolls sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def policy_reports(self) -> list[str]:
        return list(self.page.evaluate("window.policyReports"))

    def accessibility_faults(self) -> list[str]:
        """Return the serious findings of axe on what is shown."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        return [
            f"{each['id']}: {each['help']}: {json.dumps([node['target'] for node in each['nodes']][:3])}"
            for each in found["violations"]
            if each["impact"] in SERIOUS
        ]

    def screenshot(self, path: Path) -> None:
        self.page.screenshot(path=path, full_page=True)
