"""The whole product: the platform of `make up`, a live stream, the real player and real mpv."""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.processes import children_named
from tests.fixtures.stack import Stack
from tests.fixtures.waiting import wait_for
from tests.integration.player.player_harness import Player, logged_in

STREAM_ID = "stream-1"
TARGET_S = 1
LEASE_MS = 5_000
RATE = 60_000
VIEWER_PASSWORD = "a viewer's password"


@dataclass
class Platform:
    """The platform, with the API as its operator calls it."""

    stack: Stack
    http: httpx.Client
    logins: dict[str, dict[str, str]] = field(default_factory=dict)

    def operator(self, method: str, path: str, **request: Any) -> Any:
        """Send a request of the operator, which has to succeed."""
        answer = self.http.request(method, path, headers=self.login("admin@local", "admin"), **request)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def login(self, email: str, password: str) -> dict[str, str]:
        """Log a user in, once. Returns the headers of their requests."""
        if email not in self.logins:
            answer = self.http.post("/auth/login", json={"email": email, "password": password})
            assert answer.status_code == 200, answer.text
            self.logins[email] = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return self.logins[email]

    def add_viewer(self, millipoints: int) -> str:
        """Add a viewer with this balance. Returns their email."""
        email = f"{uuid.uuid4()}@local"
        user = self.operator("POST", "/users", json={"email": email, "password": VIEWER_PASSWORD})
        credit = {"millipoints": millipoints, "payment_id": f"e2e-{user['user_id']}"}
        self.operator("POST", f"/wallets/{user['user_id']}/credit", json=credit)
        return email

    def viewer(self, millipoints: int, home: Path) -> "Viewer":
        """Add a viewer, and log them in with the player."""
        email = self.add_viewer(millipoints)
        return Viewer(self, email, logged_in(self.stack.url, home, email, VIEWER_PASSWORD))

    def runtime(self) -> dict[str, Any]:
        return self.operator("GET", f"/streams/{STREAM_ID}/runtime")

    def encoders(self) -> list[int]:
        """Return the process ids of the worker's encoders."""
        return children_named(self.stack.pid("worker"), "encoder")

    def go_live(self) -> float:
        """Start the stream and wait until it is live. Returns the seconds that this took.

        The state of a paused or stopped stream stays live until the worker has released it.
        """
        if self.operator("GET", f"/streams/{STREAM_ID}")["desired_state"] != "live":
            wait_for("released stream", lambda: self.runtime()["state"] == "stopped", 60)
        asked = time.monotonic()
        self.operator("POST", f"/streams/{STREAM_ID}/state", json={"state": "live"})
        wait_for("live stream", lambda: self.runtime()["state"] == "live", 60)
        return time.monotonic() - asked


@dataclass
class Viewer:
    """A viewer with the player."""

    platform: Platform
    email: str
    player: Player

    @property
    def headers(self) -> dict[str, str]:
        return self.platform.login(self.email, VIEWER_PASSWORD)

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return self.platform.http.get(path, headers=self.headers, params=params).json()

    def sessions(self) -> list[dict[str, Any]]:
        """Return all sessions, newest first."""
        return self.get("/me/sessions")["items"]

    def wallet(self) -> dict[str, Any]:
        return self.get("/me/wallet")

    def ledger(self) -> list[dict[str, Any]]:
        """Return all lines, oldest first, and assert that no version is missing."""
        items, more = [], {}
        while more is not None:
            page = self.get("/me/ledger", limit=200, **more)
            items += page["items"]
            more = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
        assert [item["version"] for item in items] == list(range(len(items), 0, -1))
        return items[::-1]

    def _quiet_ledger(self) -> tuple[list[dict[str, Any]], int] | None:
        before, items, after = self.wallet(), self.ledger(), self.wallet()
        balance = after["balance_millipoints"]
        return (items, balance) if before["balance_millipoints"] == balance else None

    def check_ledger(self) -> None:
        """Assert that the lines add up to the balance, and that no lease was charged twice."""
        items, balance = wait_for("ledger without a beat during the read", self._quiet_ledger)
        assert sum(item["delta_millipoints"] for item in items) == balance
        leases = [(item["session_id"], item["seq"]) for item in items if item["kind"] in ("lease", "unserved")]
        assert len(leases) == len(set(leases))


@pytest.fixture(scope="module")
def platform(stack: Stack) -> Iterator[Platform]:
    with httpx.Client(base_url=stack.url, timeout=20) as http:
        platform = Platform(stack, http)
        settings = {
            "ingest": {"mode": "test"},
            "abr_profile": "sd",
            "segment_seconds": TARGET_S,
            "lease_ms": LEASE_MS,
            "rate_millipoints_per_minute": RATE,
        }
        platform.operator("PATCH", f"/streams/{STREAM_ID}", json=settings)
        platform.go_live()
        yield platform
        platform.operator("POST", f"/streams/{STREAM_ID}/state", json={"state": "stopped"})


@pytest.fixture
def viewer(platform: Platform, tmp_path: Path) -> Callable[[int], Viewer]:
    return lambda millipoints: platform.viewer(millipoints, tmp_path)
