"""A fake platform in one process: accounts, leases, endings, and a media gateway. Times are real."""

import hashlib
import json
import re
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fake_ledger import USER_ID, as_csv, now_ms
from fake_money import STATUS_OF, FakeMoney, Refusal

PLAYLIST = "application/vnd.apple.mpegurl"

Route = Callable[[Any], dict[str, Any]]


class FakePlatform(FakeMoney, ThreadingHTTPServer):
    """The server. Tests set its attributes, and read the received `requests`."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, media: Path) -> None:
        ThreadingHTTPServer.__init__(self, ("127.0.0.1", 0), _Handler)
        FakeMoney.__init__(self)
        self.media = media
        self.changed = threading.Condition(self.lock)
        self.access: dict[str, float] = {}
        self.refresh: dict[str, str] = {}  # refresh token -> family
        self.rotated: dict[str, tuple[float, dict[str, Any]]] = {}
        self.access_ttl_s = 900.0
        self.requests: list[tuple[float, str, str, int, Any]] = []
        self.drop_next: set[str] = set()  # paths whose next request is executed and not answered
        self.dead_paths: tuple[str, ...] = ()  # requests to these prefixes are not executed and not answered
        self.media_status = 200
        self.bound_elsewhere: set[str] = set()  # sessions that are bound to another address
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore connections that the player closed."""

    # --- for tests

    def seen(self, method: str, prefix: str, since: float = 0.0) -> list[tuple[float, str, str, int, Any]]:
        with self.lock:
            return [r for r in self.requests if r[1] == method and r[2].startswith(prefix) and r[0] >= since]

    def wait_for(self, method: str, prefix: str, count: int = 1, timeout_s: float = 20.0, since: float = 0.0) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen(method, prefix, since)) >= count, timeout_s), (
                f"no {count} x {method} {prefix} in {timeout_s} s: {[r[1:4] for r in self.requests[-20:]]}"
            )

    # --- accounts

    def login(self, body: dict[str, Any]) -> dict[str, Any]:
        if (body.get("email"), body.get("password")) != ("demo@local", "demo"):
            raise Refusal(401, "invalid_credentials", detail="The email address or the password is wrong")
        return self._tokens(secrets.token_hex(4))

    def _tokens(self, family: str) -> dict[str, Any]:
        access, refresh = "a." + secrets.token_hex(8), "r." + secrets.token_hex(8)
        self.access[access] = time.time() + self.access_ttl_s
        self.refresh[refresh] = family
        user = {"user_id": USER_ID, "email": "demo@local", "role": "viewer"}
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
        return {"user_id": USER_ID, "email": "demo@local", "role": "viewer"}

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
        if session_id in self.bound_elsewhere:
            raise Refusal(403, "session_bound_elsewhere")


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

    def do_PUT(self) -> None:
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
            if kind == PLAYLIST:
                headers["ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
                if self.headers.get("If-None-Match") == headers["ETag"]:
                    status, data = 304, b""
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
            if (self.command, parts.path) in (("POST", "/auth/logout"), ("GET", "/me/ledger/export")):
                return self._not_json(body, parts.path, parse_qs(parts.query))
            anonymous = self._route(self._anonymous_routes(), parts.path)
            if anonymous is None:
                self._check_login()
            answer = (anonymous or self._route(self._routes(parse_qs(parts.query)), parts.path) or _nothing)(body)
        status = 201 if parts.path == "/playback/start" else 200
        return status, json.dumps(answer).encode(), "application/json"

    def _anonymous_routes(self) -> dict[str, Route]:
        platform = self.server
        return {
            "POST /auth/login": platform.login,
            "POST /auth/refresh": platform.refresh_tokens,
            "GET /healthz": lambda _: {"status": "ok", "version": "0.0-test", "dependencies": {}},
        }

    def _routes(self, query: dict[str, list[str]]) -> dict[str, Route]:
        platform = self.server
        name = urlsplit(self.path).path.split("/")[2:]
        return {
            "POST /playback/start": platform.start,
            "POST /playback/heartbeat": platform.heartbeat,
            "POST /playback/stop": platform.stop,
            "GET /me": lambda _: platform.me(),
            "GET /me/wallet": lambda _: platform.wallet(),
            "PUT /me/wallet/cap": platform.set_cap,
            "GET /me/ledger": lambda _: platform.ledger_part(query),
            "GET /me/sessions": lambda _: platform.session_list(query),
            "GET /me/sessions/*": lambda _: platform.session_details(name[1]),
            "GET /me/sessions/*/ledger": lambda _: platform.session_ledger(name[1], query),
            "GET /streams": lambda _: {"items": [platform.stream("stream-1")], "next_cursor": None},
            "GET /streams/*": lambda _: platform.stream(name[0]),
        }

    def _route(self, routes: dict[str, Route], path: str) -> Route | None:
        for route, answer in routes.items():
            method, _, pattern = route.partition(" ")
            if method == self.command and re.fullmatch(pattern.replace("*", "[^/]+"), path):
                return answer
        return None

    def _not_json(self, body: Any, path: str, query: dict[str, list[str]]) -> tuple[int, bytes, str]:
        if path == "/auth/logout":
            self.server.logout(body)
            return 204, b"", "application/json"
        self._check_login()
        part = self.server.statement(int(query.get("after_version", ["0"])[0]))
        if query["format"] == ["csv"]:
            return 200, as_csv(part).encode(), "text/csv; charset=utf-8"
        return 200, json.dumps(part).encode(), "application/json"

    def _check_login(self) -> None:
        if self.server.access.get(self._bearer(), 0) < time.time():
            raise Refusal(401, "token_expired" if self._bearer() in self.server.access else "token_invalid")

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
        return 200, data, PLAYLIST if file.endswith(".m3u8") else "video/mp2t"

    def _bearer(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


def _nothing(body: Any) -> dict[str, Any]:
    raise Refusal(404, "not_found")
