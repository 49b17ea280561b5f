"""The API over real HTTP: gunicorn's sync workers and the WSGI adapter as in `make up`, on the emulator."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.accounts.users import Role, User
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import Claim, Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from infra.local.layout import ROOT
from tests.fixtures.ports import await_server, free_port

PASSWORD = "a good password"
CLAIM_MS = 600_000


@dataclass
class Api:
    """The running API and ways to prepare what it acts on."""

    http: httpx.Client
    services: Container
    log: Path
    _operator: dict[str, str] = field(default_factory=dict)

    def user(self, role: Role = Role.VIEWER, millipoints: int = 0) -> User:
        user = self.services.accounts.create(f"{new_session_id()}@local", PASSWORD, role)
        if millipoints:
            self.credit(user, millipoints)
        return user

    def credit(self, user: User, millipoints: int) -> None:
        payment = {"millipoints": millipoints, "payment_id": new_session_id(), "note": "", "by_user_id": "u_x"}
        self.services.ledger.credit(user_id=user.user_id, **payment)  # type: ignore[arg-type]

    def try_login(self, email: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
        return self.http.post("/auth/login", json={"email": email, "password": password}, headers=headers)

    def login(self, user: User) -> dict[str, str]:
        """Return the headers of a logged-in user."""
        return bearer(self.try_login(user.email))

    def refresh(self, token: str) -> httpx.Response:
        return self.http.post("/auth/refresh", json={"refresh_token": token})

    def viewer(self, millipoints: int = 100_000) -> dict[str, str]:
        return self.login(self.user(millipoints=millipoints))

    def admin(self) -> dict[str, str]:
        """The headers of an operator, who is the same in all tests of a module."""
        self._operator = self._operator or self.login(self.user(Role.ADMIN))
        return self._operator

    def live_stream(self, **settings: object) -> str:
        """A stream that a worker reports live."""
        stream_id = f"stream-{new_session_id()[:8]}"
        ingest = Ingest(mode=IngestMode.TEST)
        self.services.streams.create(Stream(stream_id=stream_id, title="A stream", ingest=ingest, **settings))  # type: ignore[arg-type]
        self.services.streams.set_state(stream_id, DesiredState.LIVE)
        self.report(stream_id, RuntimeState.LIVE)
        return stream_id

    def try_create_stream(self, **settings: Any) -> httpx.Response:
        body = {"title": "A stream", "ingest": {"mode": "test"}, **settings}
        return self.http.post("/streams", json=body, headers=self.admin())

    def create_stream(self, **settings: Any) -> dict[str, Any]:
        created = self.try_create_stream(**settings)
        assert created.status_code == 201, created.text
        return dict(created.json())

    def report(self, stream_id: str, state: RuntimeState) -> Claim:
        now_ms = self.services.stores.clock.now_ms()
        claim = self.services.stores.runtimes.claim(stream_id, "worker-1", now_ms, now_ms + CLAIM_MS)
        assert claim is not None
        runtime = Runtime(stream_id=stream_id, state=state, claim=claim, reported_at_ms=now_ms)
        assert self.services.stores.runtimes.report(claim, runtime)
        return claim

    def start(self, headers: dict[str, str], stream_id: str, **more: object) -> httpx.Response:
        return self.http.post("/playback/start", json={"stream_id": stream_id, **more}, headers=headers)

    def watch(self, headers: dict[str, str], **settings: object) -> str:
        """The id of a session that has been started on a stream with these settings."""
        started = self.start(headers, self.live_stream(**settings))
        assert started.status_code == 201, started.text
        return str(started.json()["session_id"])

    def beat(self, headers: dict[str, str], session_id: str, seq: int) -> httpx.Response:
        return self.http.post("/playback/heartbeat", json={"session_id": session_id, "seq": seq}, headers=headers)

    def end(self, headers: dict[str, str], session_id: str, how: str = "stop", **more: object) -> dict[str, Any]:
        ended = self.http.post(f"/playback/{how}", json={"session_id": session_id, **more}, headers=headers)
        assert ended.status_code == 200, ended.text
        return dict(ended.json())

    def get(self, headers: dict[str, str], path: str, **params: object) -> Any:
        answer = self.http.get(path, params=params or None, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all_items(self, headers: dict[str, str], path: str, limit: int, **params: object) -> list[dict[str, Any]]:
        """The items of all pages."""
        items, cursor = [], {}
        while True:
            page = self.get(headers, path, limit=limit, **params, **cursor)
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = {"cursor": page["next_cursor"]}

    def command(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run an operator's command of the stage."""
        argv = [sys.executable, "-m", *words]
        return subprocess.run(
            argv, cwd=ROOT, env=dict(os.environ), input=stdin, capture_output=True, text=True, timeout=60
        )


def bearer(login: httpx.Response) -> dict[str, str]:
    assert login.status_code == 200, login.text
    return {"Authorization": f"Bearer {login.json()['access_token']}"}


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    return problem


@pytest.fixture(scope="module")
def api(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    port = free_port()
    log = tmp_path_factory.mktemp("api") / "api.log"
    limits = "--limit-request-line 8190 --limit-request-fields 32768 --limit-request-field_size 16380"
    options = f"--worker-class sync --workers 2 --no-control-socket {limits} --bind 127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", *options.split(), "infra.local.emulator.wsgi:load()"]
    services = Container(module_settings)
    # A cheap hash is cheap to check, too, since it names its own parameters.
    services.stores.passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=out, stderr=out)
    try:
        await_server(port, process, log)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
            yield Api(http, services, log)
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        process.terminate()
        process.wait(15)
