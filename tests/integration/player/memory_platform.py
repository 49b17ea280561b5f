"""The real app over the stores in memory of `tests/fakes`, with one live stream and one viewer."""

import sys
import threading
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app import app as chalice_app
from chalicelib import bootstrap, config
from chalicelib.domain.access.clients import Client
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.top_up import TopUpUrl
from chalicelib.domain.money.usage import Served
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.outages import OutageCredit
from chalicelib.domain.streams.pacing import Latency
from chalicelib.domain.streams.runtime import Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, SessionBinding, Stream
from gateway.endpoints.services import EndpointServices
from infra.local.emulator.wsgi import application
from tests.fakes.stores import memory_stores
from tests.fixtures.settings import service_environment

STREAM_ID, EMAIL, PASSWORD = "stream-1", "demo@local", "demo"
ELSEWHERE = Client(ip="192.0.2.9", user_agent="another program")
ACCESS_TOKEN_MS = 15 * 60_000
# Longer than the app keeps a session without heartbeats.
LAPSE_MS = 11 * 60_000
CLAIM_MS = 365 * 86_400_000
ENVIRONMENT = {
    **service_environment("test"),
    "TOLLCAST_START_LIMIT": "",
    "TOLLCAST_LOGIN_ADDRESS_LIMIT": "",
    "TOLLCAST_DENYLIST_DIR": "/dev/null",  # set, since only such a gateway sees the addresses of clients
}


class MovableClock:
    """The real time, and a shift that tests add to."""

    def __init__(self) -> None:
        self.shift_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.shift_ms


def build_services(patch: pytest.MonkeyPatch) -> bootstrap.Container:
    """Return the container that the app uses, over stores in memory, with a movable clock."""
    settings = config.load(ENVIRONMENT)
    patch.setattr(bootstrap.config, "load", lambda: settings)
    bootstrap.container.cache_clear()
    services = bootstrap.container()
    services.stores = memory_stores(settings)
    services.stores.clock = MovableClock()
    return services


class MemoryPlatform:
    """The app and its services, with what tests do as operator, worker, or course of time."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch, self._lock = patch, threading.Lock()
        self.services: Any = build_services(self._patch)
        self.store = self.services.stores.rows
        self.sessions: dict[str, SessionRecord] = self.store.records  # by id, in the order of their starts
        self.clock = self.services.stores.clock
        self._wsgi = application(chalice_app)
        self.user_id = self.services.accounts.create(EMAIL, PASSWORD, Role.VIEWER).user_id
        self.top_up(100_000, "welcome")
        stream = Stream(stream_id=STREAM_ID, title="Test stream", ingest=Ingest(mode=IngestMode.TEST), lease_ms=2_000)
        self.services.streams.create(stream)
        self.services.streams.set_state(STREAM_ID, DesiredState.LIVE)
        self.report("live")
        # Requests of the tests themselves, which are not recorded.
        self.api = httpx.Client(
            transport=httpx.WSGITransport(app=self.app),
            base_url="http://api",
            event_hooks={"response": [httpx.Response.raise_for_status]},
        )
        login = self.api.post("/auth/login", json={"email": EMAIL, "password": PASSWORD}).json()
        self.api.headers["Authorization"] = f"Bearer {login['access_token']}"

    def close(self) -> None:
        self.api.close()
        bootstrap.container.cache_clear()

    def app(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """Run the app on one request at a time, as a function does."""
        with self._lock:
            return list(self._wsgi(environ, start_response))

    @property
    def endpoint_services(self) -> EndpointServices:
        return EndpointServices(
            authorize=self.services.access.authorize,
            signed_query=self.services.stores.media.signed_query,
            denial_reason=self.services.stores.denylist.reason,
            find_stream=self.services.stores.streams.get,
            now_ms=self.clock.now_ms,
        )

    # --- the viewer, by the API

    def start(self) -> dict[str, Any]:
        return self.api.post("/playback/start", json={"stream_id": STREAM_ID}).json()

    def heartbeat(self, session_id: str, seq: int) -> dict[str, Any]:
        return self.api.post("/playback/heartbeat", json={"session_id": session_id, "seq": seq}).json()

    def wallet(self) -> dict[str, Any]:
        return self.api.get("/me/wallet").json()

    def statement(self, after_version: int = 0) -> dict[str, Any]:
        return self.api.get(f"/me/ledger/export?format=json&after_version={after_version}").json()

    def statement_csv(self) -> str:
        return self.api.get("/me/ledger/export?format=csv&after_version=0").content.decode()

    @property
    def logins(self) -> int:
        """The number of logins of the player."""
        return len(self.services.stores.users.get(self.user_id).families) - 1

    # --- money

    @property
    def balance(self) -> int:
        return self.services.stores.wallets.get(self.user_id).balance_millipoints

    @balance.setter
    def balance(self, millipoints: int) -> None:
        self.top_up(millipoints - self.balance, f"balance-{time.monotonic_ns()}")

    def top_up(self, millipoints: int, payment_id: str, note: str = "", session: SessionRecord | None = None) -> None:
        payment = {"payment_id": payment_id, "note": note, "by_user_id": "u_operator", "session": session}
        self.services.ledger.credit(user_id=self.user_id, millipoints=millipoints, **payment)

    def adjust(self, session_id: str, millipoints: int, payment_id: str, note: str) -> None:
        self.top_up(millipoints, payment_id, note, self.sessions[session_id])

    def set_top_up_page(self, template: str) -> None:
        self.services.settings = replace(self.services.settings, top_up_url=TopUpUrl.parse(template))

    def set_debt(self, millipoints: int) -> None:
        """Leave a debt open, as a settlement does."""
        self.store.wallets[self.user_id] = replace(self.store.wallets[self.user_id], debt_millipoints=millipoints)

    def set_cap(self, millipoints: int) -> None:
        self.services.ledger.set_daily_cap(self.user_id, millipoints)

    def credit_outage(self, session_id: str, millipoints: int) -> None:
        """Credit what a session paid for the time of an outage."""
        wallets, now_ms = self.services.stores.wallets, self.clock.now_ms()
        credit = OutageCredit(outage_ms=now_ms, millipoints=millipoints, free_from_ms=0, free_until_ms=0)
        wallets.credit_outage(self.user_id, wallets.get(self.user_id).sessions[session_id], credit, now_ms)

    def set_statement_lines_max(self, lines: int) -> None:
        self._patch.setattr(sys.modules[type(self.services.statements).__module__], "LINES_MAX", lines)

    # --- sessions and time

    def end(self, reason: str) -> None:
        """End the active sessions."""
        for session_id in self._active():
            self.services.billing.end(self.user_id, session_id, EndReason(reason))

    def kick(self, message: str) -> None:
        """Kick the active sessions, as an operator does."""
        for session_id in self._active():
            self.services.kicks.kick(session_id, message=message)

    def _active(self) -> tuple[str, ...]:
        return tuple(self.services.stores.wallets.get(self.user_id).sessions)

    def expire_lease(self) -> None:
        """Let the time pass after which the reaper ends a session without heartbeats, and run it."""
        self.clock.shift_ms += LAPSE_MS
        assert self.services.reaper.reap() >= 1

    def expire_access_tokens(self) -> None:
        self.clock.shift_ms += ACCESS_TOKEN_MS

    def end_logins(self) -> None:
        self.services.stores.users.end_logins(self.user_id)

    def bind_elsewhere(self, session_id: str, play_token: str) -> None:
        """Let another client fetch the session's media first, which binds the session to it."""
        self.set_stream(session_binding=SessionBinding.ENFORCE)
        self.services.access.authorize(play_token, session_id, ELSEWHERE)

    def measure(self, session_id: str, media_ms: int, media_bytes: int) -> None:
        served = Served(media_ms=media_ms, media_bytes=media_bytes, segments=max(1, media_ms // 1_000), requests=1)
        self.services.stores.usage.add(session_id, served, follower="test", batch=1, now_ms=self.clock.now_ms())

    def follow_log(self) -> None:
        """Let a log follower run, as it does behind a gateway: only then an end keeps a reserve."""
        self.services.stores.usage.mark("test", self.clock.now_ms() + 3_600_000)

    def settle(self, session_id: str) -> None:
        """Settle an ended session by what was measured."""
        record = self.sessions[session_id]
        entries = list(self.services.statements.session_entries(record))
        self.services.settlements.settle(record, entries, self.services.stores.usage.get(session_id))

    def change_record(self, session_id: str, **fields: Any) -> None:
        """Change a session's record, as no service does."""
        self.store.records[session_id] = replace(self.store.records[session_id], **fields)

    # --- the stream

    @property
    def stream(self) -> Stream:
        return self.services.streams.get(STREAM_ID)

    def set_stream(self, **fields: Any) -> None:
        self.services.streams.edit(STREAM_ID, fields)

    def set_low_latency(self) -> None:
        self.set_stream(latency=Latency.LOW, segment_seconds=1)

    def pause_stream(self) -> None:
        self.services.streams.set_state(STREAM_ID, DesiredState.PAUSED)

    def report(self, state: str) -> None:
        """Report a runtime state, as a worker does."""
        runtimes, now_ms = self.services.stores.runtimes, self.clock.now_ms()
        claim = runtimes.claim(STREAM_ID, "worker-1", now_ms, now_ms + CLAIM_MS)
        runtime = Runtime(stream_id=STREAM_ID, state=RuntimeState(state), claim=claim, reported_at_ms=now_ms)
        assert runtimes.report(claim, replace(runtime, generation=self.stream.generation))
        self.services.delivery.status(STREAM_ID, fresh=True)  # the service keeps what it read for a second

    @property
    def media_url(self) -> str:
        """The address in `play_url`."""
        return self.services.settings.public_url

    @media_url.setter
    def media_url(self, url: str) -> None:
        self.services.settings = replace(self.services.settings, public_url=url)
