"""Who calls, and the things that they call about: accounts, streams and sessions that nobody else uses.

What an operation may spoil (a login, a stream, a session) is made anew for it.
"""

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.faults.harness.private_stack import LIVE_S_MAX
from tests.fixtures.waiting import wait_for
from tests.schema.document import Operation

ANSWER_S_MAX = 40.0
# Tokens last 15 minutes.
TOKEN_S_MAX = 600.0
PASSWORD = "a good password"
MILLIPOINTS = 1_000_000
# Not where failed logins come from: those are counted by address.
OWN_ADDRESS, FUZZED_ADDRESS = "192.0.2.1", "192.0.2.77"
# What is about the caller, and so leaves them another than they were.
ABOUT_ONESELF = {"POST /me/password", "POST /auth/logout-everywhere", "PUT /me/wallet/cap"}


@dataclass
class Seat:
    """Somebody who is logged in, and what they hold."""

    role: str
    user_id: str
    email: str
    access_token: str
    refresh_token: str
    session: dict[str, Any] = field(default_factory=dict)
    since_s: float = field(default_factory=time.monotonic)

    @property
    def old(self) -> bool:
        """Whether its token may soon be over: a long run outlives it."""
        return time.monotonic() - self.since_s > TOKEN_S_MAX

    @property
    def headers(self) -> dict[str, str]:
        """What they send along."""
        return {"Authorization": f"Bearer {self.access_token}", "X-Real-IP": OWN_ADDRESS}


class World:
    """Makes accounts and things, by the API alone."""

    def __init__(self, url: str, email: str, password: str, live_stream_id: str) -> None:
        self.url = url
        self.live_stream_id = live_stream_id
        self._http = httpx.Client(base_url=url, timeout=ANSWER_S_MAX)
        self._operator_login = email, password, "admin"
        self._operator = self._login(*self._operator_login)
        self._to_spoil: list[str] = []
        self._seats = {role: self.new_seat(role) for role in ("viewer", "admin")}

    def close(self) -> None:
        """End its connections."""
        self._http.close()

    def document(self) -> dict[str, Any]:
        """The OpenAPI document as it is served."""
        return self._sure("GET", "/openapi.json")

    def seat(self, role: str, operation: Operation, *, spoils: bool) -> Seat:
        """Who calls this operation; somebody new if it changes what they have, and is not refused."""
        if spoils and (str(operation) in ABOUT_ONESELF or (operation.role == "viewer" and operation.changes)):
            return self.new_seat(role)
        return self._standing(role)

    def still(self, seat: Seat, operation: Operation) -> Seat:
        """Who calls it after it was done: somebody else where it was about the caller."""
        return self.new_seat(seat.role) if str(operation) in ABOUT_ONESELF else seat

    def new_seat(self, role: str) -> Seat:
        """A new account with money, logged in."""
        email = f"{uuid.uuid4()}@local"
        made = self._sure("POST", "/users", {"email": email, "password": PASSWORD, "role": role})
        body = {"millipoints": MILLIPOINTS, "payment_id": str(uuid.uuid4())}
        self._sure("POST", f"/wallets/{made['user_id']}/credit", body)
        return self._login(email, PASSWORD, role)

    def wrong_headers(self) -> list[dict[str, str]]:
        """Credentials that prove nothing here, among them tokens of other kinds and one with a bit turned round."""
        viewer = self._standing("viewer")
        head, _, signature = viewer.access_token.rpartition(".")
        turned = f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
        tokens = ("", "x" * 40, viewer.refresh_token, self._session_of(viewer)["play_token"], turned)
        wrong = [{"Authorization": f"Bearer {token}"} for token in tokens]
        return [{}, {"Authorization": f"Basic {viewer.access_token}"}, *wrong]

    def known(self, operation: Operation, seat: Seat, *, spoils: bool) -> dict[str, Any]:
        """A value for each name in the operation's path, and for what its body must have, that means something."""
        names = {*operation.path_names, *operation.required}
        # Who is refused needs nothing of their own.
        theirs = {} if spoils else self._theirs(seat)
        return {name: theirs[name] if name in theirs else self._value(name, operation, seat) for name in names}

    def _standing(self, role: str) -> Seat:
        if self._seats[role].old:
            self._seats[role] = self.new_seat(role)
        return self._seats[role]

    def _theirs(self, seat: Seat) -> dict[str, Any]:
        session = self._session_of(self._standing("viewer"))
        return {"stream_id": self.live_stream_id, "user_id": seat.user_id, "session_id": session["session_id"]}

    def _value(self, name: str, operation: Operation, seat: Seat) -> Any:
        match name:
            case "stream_id":
                keeps = not operation.changes or operation.path in ("/playback/start", "/streams/{stream_id}/preview")
                return self._live_stream() if keeps else self._new_stream()
            case "user_id":
                return self.new_seat("viewer").user_id if operation.changes else seat.user_id
            case "session_id":
                return self._session_for(operation, seat)
            case "email":
                return seat.email if operation.path == "/auth/login" else f"{uuid.uuid4()}@local"
            case "refresh_token":
                return self._login(seat.email, PASSWORD, seat.role).refresh_token
            case "payment_id":
                return str(uuid.uuid4())
        return VALUES[name] if name != "day" else f"{datetime.now(UTC):%Y-%m-%d}"

    def _session_for(self, operation: Operation, seat: Seat) -> str:
        if operation.role != "admin":
            return str(self._session_of(seat)["session_id"])
        watched = self._session_of(viewer := self.new_seat("viewer"))
        if operation.path.endswith("/adjust"):
            # Only what has ended has a cost that can be adjusted.
            self._sure("POST", "/playback/stop", {"session_id": watched["session_id"]}, viewer)
        return str(watched["session_id"])

    def _session_of(self, seat: Seat) -> dict[str, Any]:
        if not seat.session:
            seat.session = self._sure("POST", "/playback/start", {"stream_id": self._live_stream()}, seat)
        return seat.session

    def tidy(self) -> None:
        """Take streams away that were made to be spoilt: one that was put live would keep the machine busy."""
        while self._to_spoil:
            self._http.delete(f"/streams/{self._to_spoil.pop()}", headers=self._operator.headers)

    def _live_stream(self) -> str:
        # On a busy machine its worker may fall behind for a while.
        path = f"/streams/{self.live_stream_id}"
        wait_for("live stream", lambda: self._sure("GET", path)["state"] == "live", LIVE_S_MAX)
        return self.live_stream_id

    def _new_stream(self) -> str:
        made = self._sure("POST", "/streams", {"title": "One to spoil", "ingest": {"mode": "test"}})
        self._to_spoil.append(made["stream_id"])
        return self._to_spoil[-1]

    def _login(self, email: str, password: str, role: str) -> Seat:
        headers = {"X-Real-IP": OWN_ADDRESS}
        answer = self._http.post("/auth/login", json={"email": email, "password": password}, headers=headers)
        assert answer.status_code == 200, f"no login for {email}: {answer.text}"
        found = answer.json()
        return Seat(role, found["user"]["user_id"], email, found["access_token"], found["refresh_token"])

    def _sure(self, method: str, path: str, body: Any = None, seat: Seat | None = None) -> dict[str, Any]:
        if seat is None and self._operator.old:
            self._operator = self._login(*self._operator_login)
        answer = self._http.request(method, path, json=body, headers=(seat or self._operator).headers)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found


VALUES: dict[str, Any] = {
    "password": PASSWORD,
    "current_password": PASSWORD,
    "new_password": "another good password",
    "title": "A title",
    "ingest": {"mode": "test"},
    "state": "stopped",
    "disabled": True,
    "seq": 2,
    "millipoints": 1,
    "daily_cap_millipoints": MILLIPOINTS,
}
