"""The API over real HTTP: gunicorn's sync workers and the WSGI adapter as in `make up`, on the emulator."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.accounts.users import Role, User
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import Claim, Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from infra.local.layout import ROOT
from tests.fixtures.ports import answers, free_port

START_WAIT_S = 30.0
PASSWORD = "a good password"
CLAIM_MS = 600_000


@dataclass
class Api:
    """The running API and ways to prepare what it acts on."""

    http: httpx.Client
    services: Container
    log: Path

    def user(self, role: Role = Role.VIEWER, millipoints: int = 0) -> User:
        email = f"{new_session_id()}@local"
        user = self.services.accounts.create(email, PASSWORD, role)
        if millipoints:
            self.services.ledger.credit(
                user_id=user.user_id, millipoints=millipoints, payment_id=new_session_id(), note="", by_user_id="u_x"
            )
        return user

    def login(self, user: User) -> dict[str, str]:
        """Return the headers of a logged-in user."""
        answer = self.http.post("/auth/login", json={"email": user.email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def viewer(self, millipoints: int = 100_000) -> dict[str, str]:
        return self.login(self.user(millipoints=millipoints))

    def admin(self) -> dict[str, str]:
        return self.login(self.user(Role.ADMIN))

    def live_stream(self, **settings: object) -> str:
        """A stream that a worker reports live."""
        stream = Stream(
            stream_id=f"stream-{new_session_id()[:8]}",
            title="A stream",
            ingest=Ingest(mode=IngestMode.TEST),
            **settings,  # type: ignore[arg-type]
        )
        self.services.streams.create(stream)
        self.services.streams.set_state(stream.stream_id, DesiredState.LIVE)
        self.report(stream.stream_id, RuntimeState.LIVE)
        return stream.stream_id

    def report(self, stream_id: str, state: RuntimeState) -> Claim:
        now_ms = self.services.stores.clock.now_ms()
        claim = self.services.stores.runtimes.claim(stream_id, "worker-1", now_ms, now_ms + CLAIM_MS)
        assert claim is not None
        assert self.services.stores.runtimes.report(
            claim, Runtime(stream_id=stream_id, state=state, claim=claim, reported_at_ms=now_ms)
        )
        return claim

    def start(self, headers: dict[str, str], stream_id: str, **more: object) -> httpx.Response:
        return self.http.post("/playback/start", json={"stream_id": stream_id, **more}, headers=headers)


@pytest.fixture(scope="module")
def api(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    port = free_port()
    log = tmp_path_factory.mktemp("api") / "api.log"
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "sync", "--workers", "2", "--no-control-socket"]
    command += [
        "--limit-request-line",
        "8190",
        "--limit-request-fields",
        "32768",
        "--limit-request-field_size",
        "16380",
    ]
    command += ["--bind", f"127.0.0.1:{port}", "infra.local.emulator.wsgi:load()"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + START_WAIT_S
        while not answers(port):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
            yield Api(http, Container(module_settings), log)
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        process.terminate()
        process.wait(15)
