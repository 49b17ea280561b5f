"""Accounts, streams and sessions for requests.

An operation that changes a login, a stream or a session gets a new one.
"""

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from chalicelib.domain.operations.canary import STEPS
from tests.faults.harness.private_stack import LIVE_S_MAX
from tests.fixtures.waiting import wait_for
from tests.schema.document import Operation

ANSWER_S_MAX = 40.0
# Tokens last 15 minutes.
TOKEN_S_MAX = 600.0
PASSWORD = "a good password"
MILLIPOINTS = 1_000_000
# Failed logins are counted by address, so they use another one.
OWN_ADDRESS, FUZZED_ADDRESS = "192.0.2.1", "192.0.2.77"
# Operations that change the account of the client.
ABOUT_ONESELF = {"POST /me/password", "POST /auth/logout-everywhere", "PUT /me/wallet/cap"}


@dataclass
class Login:
    """A logged-in account, its tokens and its session."""

    role: str
    user_id: str
    email: str
    access_token: str
    refresh_token: str
    session: dict[str, Any] = field(default_factory=dict)
    since_s: float = field(default_factory=time.monotonic)

    @property
    def is_old(self) -> bool:
        """Return whether the token may expire soon."""
        return time.monotonic() - self.since_s > TOKEN_S_MAX

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}", "X-Real-IP": OWN_ADDRESS}


class Accounts:
    """Creates accounts, streams and sessions through the API."""

    def __init__(self, url: str, email: str, password: str, live_stream_id: str) -> None:
        self.url = url
        self.live_stream_id = live_stream_id
        self._http = httpx.Client(base_url=url, timeout=ANSWER_S_MAX)
        self._operator_login = email, password, "admin"
        self._operator = self._login(*self._operator_login)
        self._temporary_streams: list[str] = []
        self._logins = {role: self.new_login(role) for role in ("viewer", "operator", "finance", "admin")}

    def close(self) -> None:
        self._http.close()

    def document(self) -> dict[str, Any]:
        return self._send("GET", "/openapi.json")

    def login_for(self, role: str, operation: Operation, *, changes_data: bool) -> Login:
        """Return the login for an operation: a new one if the operation changes its data."""
        if changes_data and (str(operation) in ABOUT_ONESELF or ("viewer" in operation.roles and operation.changes)):
            return self.new_login(role)
        return self._shared_login(role)

    def login_after(self, login: Login, operation: Operation) -> Login:
        """Return the login for the next request: a new one if the operation changed its account."""
        return self.new_login(login.role) if str(operation) in ABOUT_ONESELF else login

    def new_login(self, role: str) -> Login:
        """Create an account with a balance, and log it in."""
        email = f"{uuid.uuid4()}@local"
        made = self._send("POST", "/users", {"email": email, "password": PASSWORD, "role": role})
        self._payment(made["user_id"])
        return self._login(email, PASSWORD, role)

    def _payment(self, user_id: str) -> str:
        """Credit a wallet, and return the id of the payment."""
        body = {"millipoints": MILLIPOINTS, "payment_id": str(uuid.uuid4())}
        self._send("POST", f"/wallets/{user_id}/credit", body)
        return body["payment_id"]

    def wrong_headers(self) -> list[dict[str, str]]:
        """Return invalid credentials, among them tokens of other kinds and one with a changed signature."""
        viewer = self._shared_login("viewer")
        head, _, signature = viewer.access_token.rpartition(".")
        turned = f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
        tokens = ("", "x" * 40, viewer.refresh_token, self._session_of(viewer)["play_token"], turned)
        wrong = [{"Authorization": f"Bearer {token}"} for token in tokens]
        return [{}, {"Authorization": f"Basic {viewer.access_token}"}, *wrong]

    def known(self, operation: Operation, login: Login, *, changes_data: bool) -> dict[str, Any]:
        """Return a valid value for each name in the path and each required name of the body."""
        names = {*operation.path_names, *operation.required, *operation.in_query}
        names |= {"refresh_token"} if operation.of_browsers else set()
        # Refused operations use shared values.
        theirs = {} if changes_data else self._values_of(login)
        return {name: theirs[name] if name in theirs else self._value(name, operation, login) for name in names}

    def _shared_login(self, role: str) -> Login:
        if self._logins[role].is_old:
            self._logins[role] = self.new_login(role)
        return self._logins[role]

    def _values_of(self, login: Login) -> dict[str, Any]:
        session = self._session_of(self._shared_login("viewer"))
        return {"stream_id": self.live_stream_id, "user_id": login.user_id, "session_id": session["session_id"]}

    def _value(self, name: str, operation: Operation, login: Login) -> Any:
        match name:
            case "stream_id":
                keeps = not operation.changes or operation.path in ("/playback/start", "/streams/{stream_id}/preview")
                return self._live_stream() if keeps else self._new_stream()
            case "user_id":
                return self.new_login("viewer").user_id if operation.changes else login.user_id
            case "session_id":
                return self._session_for(operation, login)
            case "email":
                return (
                    login.email
                    if operation.path in ("/auth/login", "/auth/browser/login", "/users/lookup")
                    else f"{uuid.uuid4()}@local"
                )
            case "refresh_token":
                return self._login(login.email, PASSWORD, login.role).refresh_token
            case "payment_id":
                return self._payment(login.user_id) if operation.path.startswith("/payments/") else str(uuid.uuid4())
            case "key_id":
                return self._new_key()
            case "block_id":
                return self._new_block()
        return VALUES[name] if name != "day" else f"{datetime.now(UTC):%Y-%m-%d}"

    def _session_for(self, operation: Operation, login: Login) -> str:
        if "viewer" in operation.roles:
            return str(self._session_of(login)["session_id"])
        watched = self._session_of(viewer := self.new_login("viewer"))
        if operation.path.endswith("/adjust"):
            # Only an ended session can be adjusted.
            self._send("POST", "/playback/stop", {"session_id": watched["session_id"]}, viewer)
        return str(watched["session_id"])

    def _session_of(self, login: Login) -> dict[str, Any]:
        if not login.session:
            login.session = self._send("POST", "/playback/start", {"stream_id": self._live_stream()}, login)
        return login.session

    def delete_streams(self) -> None:
        """Delete the temporary streams: a live one would use much CPU."""
        while self._temporary_streams:
            self._http.delete(f"/streams/{self._temporary_streams.pop()}", headers=self._operator.headers)

    def _live_stream(self) -> str:
        # On a busy machine the stream may stall for a while.
        path = f"/streams/{self.live_stream_id}"
        wait_for("live stream", lambda: self._send("GET", path)["state"] == "live", LIVE_S_MAX)
        return self.live_stream_id

    def _new_key(self) -> str:
        """Create a service key. Generated requests may have created as many as allowed, so these are revoked."""
        page: dict[str, Any] = {"next_cursor": ""}
        while page["next_cursor"] is not None:
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else ""
            page = self._send("GET", f"/service-keys?limit=200{cursor}")
            for each in page["items"]:
                if each["revoked_at_ms"] is None:
                    self._send("DELETE", f"/service-keys/{each['key_id']}")
        return str(self._send("POST", "/service-keys", NEW_KEY)["key_id"])

    def _new_block(self) -> str:
        watched = self._session_of(self.new_login("viewer"))
        kick = {"session_id": watched["session_id"], "block_minutes": 60}
        return str(self._send("POST", "/playback/kick", kick)["block"]["block_id"])

    def _new_stream(self) -> str:
        made = self._send("POST", "/streams", {"title": "Temporary", "ingest": {"mode": "test"}})
        self._temporary_streams.append(made["stream_id"])
        return self._temporary_streams[-1]

    def _login(self, email: str, password: str, role: str) -> Login:
        headers = {"X-Real-IP": OWN_ADDRESS}
        answer = self._http.post("/auth/login", json={"email": email, "password": password}, headers=headers)
        assert answer.status_code == 200, f"no login for {email}: {answer.text}"
        found = answer.json()
        return Login(role, found["user"]["user_id"], email, found["access_token"], found["refresh_token"])

    def _send(self, method: str, path: str, body: Any = None, login: Login | None = None) -> dict[str, Any]:
        if login is None and self._operator.is_old:
            self._operator = self._login(*self._operator_login)
        answer = self._http.request(method, path, json=body, headers=(login or self._operator).headers)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found


NEW_KEY = {"name": "shop", "scopes": ["credit"], "expires_in_days": 1}
VALUES: dict[str, Any] = {
    **NEW_KEY,
    "overlap_hours": 0,
    "password": PASSWORD,
    "current_password": PASSWORD,
    "new_password": "another good password",
    "title": "A title",
    "ingest": {"mode": "test"},
    "state": "stopped",
    "disabled": True,
    "seq": 2,
    "steps_ms": [1] * len(STEPS),
    "millipoints": 1,
    "daily_cap_millipoints": MILLIPOINTS,
}
