"""A small Tollcast platform in one process, for the player's tests: accounts, leases, endings, and a media gateway.

It follows the rules of DESIGN.md (sections 4, 6 and 7), on one lock instead of a database. Times are real.
"""

import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

LAPSE_MS = 600_000
GRACE_MS = 1_000
STATUS_OF = {
    "balance_exhausted": 402,
    "lease_expired": 402,
    "max_points_reached": 402,
    "kicked": 403,
    "superseded": 403,
}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Session:
    session_id: str
    stream_id: str
    charge: int
    lease_ms: int
    max_millipoints: int | None
    paid_until: int
    started_at_ms: int
    seq: int = 1
    charged: int = 0
    charges: dict[int, int] = field(default_factory=dict)
    end_reason: str | None = None
    refunded: int = 0


class Refusal(Exception):
    def __init__(self, status: int, code: str, headers: dict[str, str] | None = None, **fields: Any) -> None:
        super().__init__(code)
        self.status, self.headers = status, headers or {}
        self.document = {
            "type": "about:blank", "title": code, "status": status, "code": code, "detail": f"Refused: {code}.",
            **fields,
        }  # fmt: skip


class FakePlatform(ThreadingHTTPServer):
    """The server. Tests set its attributes to steer it, and read `requests` to see what was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, media: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.media = media
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.balance = 100_000
        self.rate, self.lease_ms = 60_000, 2_000
        self.access: dict[str, float] = {}
        self.refresh: dict[str, str] = {}  # refresh token -> family
        self.rotated: dict[str, tuple[float, dict[str, Any]]] = {}
        self.access_ttl_s = 900.0
        self.sessions: dict[str, Session] = {}
        self.play_tokens: dict[str, tuple[str, int]] = {}  # play token -> (session, expires ms)
        self.stream_state = "live"
        self.session_limit = 3
        self.requests: list[tuple[float, str, str, int, Any]] = []
        self.ledger: list[dict[str, Any]] = []
        self.drop_next: set[str] = set()  # paths whose next answer is lost after the work was done
        self.dead_paths: tuple[str, ...] = ()  # connections for these prefixes are cut
        self.media_status = 200
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Players hang up; that is no error."""

    # --- steering and observing, for tests

    def seen(self, method: str, prefix: str, since: float = 0.0) -> list[tuple[float, str, str, int, Any]]:
        with self.lock:
            return [r for r in self.requests if r[1] == method and r[2].startswith(prefix) and r[0] >= since]

    def wait_for(self, method: str, prefix: str, count: int = 1, timeout_s: float = 20.0, since: float = 0.0) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen(method, prefix, since)) >= count, timeout_s), (
                f"no {count} x {method} {prefix} in {timeout_s} s: {[r[1:4] for r in self.requests[-20:]]}"
            )

    def end(self, reason: str, session_id: str | None = None) -> None:
        with self.lock:
            for session in self.sessions.values():
                if session_id in (None, session.session_id):
                    self._end(session, reason)

    def expire_lease(self) -> None:
        """Let the active sessions lapse, as if they had not beaten for a very long time."""
        self.end("lease_expired")

    # --- money

    def _pay(self, session: Session, seq: int, lease_from: int) -> None:
        sold = min(session.charge, self.balance)
        sold_ms = session.lease_ms if sold == session.charge else max(1, session.lease_ms * sold // session.charge)
        self.balance -= sold
        session.charged += sold
        session.charges[seq] = sold
        session.seq = seq
        session.paid_until = lease_from + sold_ms
        self._note(-sold, "lease", session, seq)

    def _note(self, delta: int, kind: str, session: Session, seq: int | None = None) -> None:
        entry = {"version": len(self.ledger) + 1, "delta_millipoints": delta, "kind": kind, "at_ms": now_ms()}
        self.ledger.append({**entry, "session_id": session.session_id, "stream_id": session.stream_id, "seq": seq})

    def _end(self, session: Session, reason: str) -> None:
        if session.end_reason:
            return
        session.end_reason = reason
        unserved = max(0, session.paid_until - now_ms())
        session.refunded = min(session.charged, session.charge * unserved // session.lease_ms)
        session.charged -= session.refunded
        self.balance += session.refunded
        self._note(session.refunded, "refund", session)

    # --- API

    def login(self, body: dict[str, Any]) -> dict[str, Any]:
        if (body.get("email"), body.get("password")) != ("demo@local", "demo"):
            raise Refusal(401, "invalid_credentials", detail="The email address or the password is wrong")
        return self._tokens(secrets.token_hex(4))

    def _tokens(self, family: str) -> dict[str, Any]:
        access, refresh = "a." + secrets.token_hex(8), "r." + secrets.token_hex(8)
        self.access[access] = time.time() + self.access_ttl_s
        self.refresh[refresh] = family
        user = {"user_id": "u-demo", "email": "demo@local", "role": "viewer"}
        return {
            "access_token": access, "refresh_token": refresh, "token_type": "Bearer",
            "expires_in": self.access_ttl_s, "user": user,
        }  # fmt: skip

    def refresh_tokens(self, body: dict[str, Any]) -> dict[str, Any]:
        token = body["refresh_token"]
        if token in self.rotated and time.time() - self.rotated[token][0] < 10:
            return self.rotated[token][1]
        family = self.refresh.pop(token, None)
        if family is None:
            raise Refusal(401, "token_invalid")
        answer = self._tokens(family)
        self.rotated[token] = (time.time(), answer)
        return answer

    def logout(self, body: dict[str, Any]) -> dict[str, Any]:
        self.refresh.pop(body["refresh_token"], None)
        return {}

    def me(self) -> dict[str, Any]:
        return {"user_id": "u-demo", "email": "demo@local", "role": "viewer"}

    def wallet(self) -> dict[str, Any]:
        active = [
            {
                "session_id": s.session_id, "stream_id": s.stream_id, "started_at_ms": s.started_at_ms,
                "rate_millipoints_per_minute": self.rate, "charged_millipoints": s.charged,
            }
            for s in self.sessions.values() if not s.end_reason
        ]  # fmt: skip
        return {"user_id": "u-demo", "balance_millipoints": self.balance, "version": 1, "sessions": active}

    def ledger_page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        limit, skip = int(query.get("limit", ["20"])[0]), int(query.get("cursor", ["0"])[0])
        newest = self.ledger[::-1]
        rest = len(newest) > skip + limit
        return {"items": newest[skip : skip + limit], "next_cursor": str(skip + limit) if rest else None}

    def stream(self, stream_id: str) -> dict[str, Any]:
        if stream_id != "stream-1":
            raise Refusal(404, "stream_not_found")
        return {
            "stream_id": "stream-1", "title": "Test stream", "rate_millipoints_per_minute": self.rate,
            "lease_ms": self.lease_ms, "state": self.stream_state, "desired_state": "live",
        }  # fmt: skip

    def start(self, body: dict[str, Any]) -> dict[str, Any]:
        self.stream(body["stream_id"])
        if self.stream_state != "live":
            raise Refusal(409, "stream_not_live")
        active = [s for s in self.sessions.values() if not s.end_reason]
        if len(active) >= self.session_limit:
            if not body.get("replace"):
                fields = ("session_id", "stream_id", "started_at_ms")
                raise Refusal(409, "session_limit", sessions=[{f: getattr(s, f) for f in fields} for s in active])
            self._end(min(active, key=lambda s: s.started_at_ms), "superseded")
        if self.balance == 0:
            raise Refusal(402, "balance_exhausted", end_reason="balance_exhausted")
        now, points = now_ms(), body.get("max_points")
        charge = -(-self.rate * self.lease_ms // 60_000)
        session = Session(
            f"s-{secrets.token_hex(6)}", body["stream_id"], charge, self.lease_ms,
            None if points is None else points * 1000, now, now,
        )  # fmt: skip
        self.sessions[session.session_id] = session
        self._pay(session, 1, now)
        return {**self._state(session), "outcome": "on_time", "charged_millipoints": session.charges[1]}

    def heartbeat(self, body: dict[str, Any]) -> dict[str, Any]:
        session, seq, now = self._session(body), body["seq"], now_ms()
        if session.end_reason:
            raise self._over(session)
        if seq <= session.seq:
            outcome = "replay" if seq == session.seq else "stale"
            return {**self._state(session), "outcome": outcome, "charged_millipoints": session.charges.get(seq, 0)}
        horizon = min(session.lease_ms // 2, 5_000)
        if session.paid_until < now - LAPSE_MS:
            self._end(session, "lease_expired")
            raise self._over(session)
        empty = self.balance == 0 and session.charge > 0
        if session.paid_until > now + horizon or (empty and now < session.paid_until):
            return {**self._state(session), "outcome": "early", "charged_millipoints": 0}
        if session.max_millipoints is not None and session.charged + session.charge > session.max_millipoints:
            if now < session.paid_until:
                return {**self._state(session), "outcome": "early", "charged_millipoints": 0}
            self._end(session, "max_points_reached")
            raise self._over(session)
        if empty:
            self._end(session, "balance_exhausted")
            raise self._over(session)
        late = session.paid_until < now
        self._pay(session, seq, now if late else session.paid_until)
        return {
            **self._state(session), "outcome": "late" if late else "on_time",
            "charged_millipoints": session.charges[seq],
        }  # fmt: skip

    def stop(self, body: dict[str, Any]) -> dict[str, Any]:
        session = self._session(body)
        self._end(session, "viewer_stopped")
        return {
            "session_id": session.session_id, "end_reason": session.end_reason, "charged_millipoints": session.charged,
            "refunded_millipoints": session.refunded, "balance_millipoints": self.balance, "watched_ms": 0,
        }  # fmt: skip

    def _session(self, body: dict[str, Any]) -> Session:
        session = self.sessions.get(body["session_id"])
        if session is None:
            raise Refusal(404, "session_not_found")
        return session

    def _over(self, session: Session) -> Refusal:
        reason = str(session.end_reason)
        return Refusal(
            STATUS_OF.get(reason, 410), reason, end_reason=reason,
            charged_millipoints=session.charged, balance_millipoints=self.balance,
        )  # fmt: skip

    def _state(self, session: Session) -> dict[str, Any]:
        token, now = "p." + secrets.token_hex(8), now_ms()
        expires = session.paid_until + GRACE_MS
        self.play_tokens[token] = (session.session_id, expires)
        horizon = min(session.lease_ms // 2, 5_000)
        due = session.paid_until - (horizon if self.balance else 0)
        return {
            "session_id": session.session_id, "seq": session.seq, "play_token": token,
            "play_url": f"{self.url}/play/{session.session_id}/index.m3u8",
            "expires_in": max(0, expires - now) / 1000, "next_beat_in_ms": max(0, due - now) + 100,
            "lease_ms": session.lease_ms, "paid_until_ms": session.paid_until, "balance_millipoints": self.balance,
            "rate_millipoints_per_minute": self.rate,
            "seconds_left": (max(0, session.paid_until - now) + self.balance * 60_000 // self.rate) // 1000,
        }  # fmt: skip

    # --- gateway

    def authorize(self, session_id: str, bearer: str) -> None:
        owner, expires = self.play_tokens.get(bearer, ("", 0))
        session = self.sessions.get(session_id)
        if session is None or owner != session_id:
            raise Refusal(401, "token_invalid")
        if session.end_reason:
            raise Refusal(STATUS_OF.get(session.end_reason, 410), session.end_reason, end_reason=session.end_reason)
        if now_ms() > expires:
            raise Refusal(401, "token_expired")


class _Handler(BaseHTTPRequestHandler):
    server: FakePlatform
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"null")
        if self.path.startswith(self.server.dead_paths):
            self.close_connection = True
            return
        headers = {"Content-Type": "application/json"}
        try:
            status, data, kind = self._media() if self.path.startswith("/play/") else self._api(body)
            headers["Content-Type"] = kind
        except Refusal as refusal:
            status, data = refusal.status, json.dumps(refusal.document).encode()
            headers = {"Content-Type": "application/problem+json", **refusal.headers}
        with self.server.changed:
            self.server.requests.append((time.monotonic(), self.command, self.path, status, body))
            self.server.changed.notify_all()
            lost = self.path in self.server.drop_next
            self.server.drop_next.discard(self.path)
        if lost:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _api(self, body: Any) -> tuple[int, bytes, str]:
        platform, parts = self.server, urlsplit(self.path)
        with platform.lock:
            anonymous = {
                "/auth/login": platform.login, "/auth/refresh": platform.refresh_tokens, "/auth/logout": platform.logout
            }  # fmt: skip
            posts = {
                "/playback/start": platform.start, "/playback/heartbeat": platform.heartbeat,
                "/playback/stop": platform.stop,
            }  # fmt: skip
            if parts.path in anonymous:
                answer = anonymous[parts.path](body)
            elif parts.path == "/healthz":
                answer = {"status": "ok", "version": "0.0-test", "dependencies": {}}
            elif platform.access.get(self._bearer(), 0) < time.time():
                raise Refusal(401, "token_expired" if self._bearer() in platform.access else "token_invalid")
            elif parts.path in posts:
                answer = posts[parts.path](body)
            elif parts.path == "/me":
                answer = platform.me()
            elif parts.path == "/me/wallet":
                answer = platform.wallet()
            elif parts.path == "/me/ledger":
                answer = platform.ledger_page(parse_qs(parts.query))
            elif parts.path == "/streams":
                answer = {"items": [platform.stream("stream-1")], "next_cursor": None}
            elif parts.path.startswith("/streams/"):
                answer = platform.stream(parts.path.removeprefix("/streams/"))
            else:
                raise Refusal(404, "not_found")
        if parts.path == "/auth/logout":
            return 204, b"", "application/json"
        status = 201 if parts.path == "/playback/start" else 200
        return status, json.dumps(answer).encode(), "application/json"

    def _media(self) -> tuple[int, bytes, str]:
        _, _, session_id, file = self.path.split("/", 3)
        with self.server.lock:
            self.server.authorize(session_id, self._bearer())
        if self.server.media_status != 200:
            raise Refusal(self.server.media_status, "media")
        try:
            data = (self.server.media / file).read_bytes()
        except OSError:
            raise Refusal(404, "not_found") from None
        return 200, data, "application/vnd.apple.mpegurl" if file.endswith(".m3u8") else "video/mp2t"

    def _bearer(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")
