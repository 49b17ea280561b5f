"""A real nginx with the product's configuration and endpoints, and stubs of the access rule and of S3."""

import json
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import httpx

from chalicelib.adapters.access.file_denylist import FileDenylist
from chalicelib.domain.access.clients import Client
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Unauthenticated
from chalicelib.domain.money.errors import SessionOver
from chalicelib.domain.money.lease import allowance_ms
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.access.access import Decision
from gateway.endpoints.application import application
from gateway.endpoints.services import EndpointServices
from gateway.nginx.config import GatewayConfig, render
from tests.fixtures.ports import await_server

SESSIONS = {"a" * 26: "stream-1", "b" * 26: "stream-2", "c" * 26: "stream-1"}
USERS = {"a" * 26: "u-one", "b" * 26: "u-two", "c" * 26: "u-one"}
PLAYLIST = b"#EXTM3U\n"
LONG_PLAYLIST = PLAYLIST * 400
SEGMENT = bytes(range(256)) * 64
# More than the sockets' buffers hold, so that a transfer can be interrupted.
LONG_SEGMENT = bytes(range(256)) * 65_536
MEDIA_MS = 2_002
LEASE_MS = 8_000


@dataclass
class Rule:
    """The stub of the access rule: token `t-<session>` may watch `SESSIONS[<session>]` unless it is over."""

    over: dict[str, EndReason] = field(default_factory=dict)
    streams: dict[str, str] = field(default_factory=lambda: dict(SESSIONS))
    # More than any test fetches, so that only tests of the hold are held.
    granted_ms: int = 600_000
    broken: bool = False
    asked: Counter[str] = field(default_factory=Counter)

    def verdict(self, token: str | None, session_id: str, client: Client) -> Decision:
        self.asked[session_id] += 1
        if self.broken:
            raise StoreUnavailable("stub")
        if token is None or not token.startswith("t-") or token[2:28] != session_id:
            raise Unauthenticated("stub")
        if session_id in self.over:
            raise SessionOver(self.over[session_id])
        return Decision(
            session_id=session_id,
            user_id=USERS[session_id],
            stream_id=self.streams[session_id],
            until_ms=int(time.time() * 1000) + LEASE_MS,
            fetchable_ms=self.granted_ms + allowance_ms(self.granted_ms),
        )


class LongQueueServer(ThreadingHTTPServer):
    """A server whose queue holds a flood of connections. `media_ms` is the duration of a store's segments."""

    request_queue_size = 128
    media_ms = MEDIA_MS


class UnixServer(socketserver.ThreadingMixIn, WSGIServer):
    address_family = socket.AF_UNIX
    # A test sends many requests at once, of which the default queue of five would refuse some.
    request_queue_size = 128
    daemon_threads = True

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "endpoints", 0
        self.setup_environ()


class Quiet(WSGIRequestHandler):
    """A handler for unix sockets, whose peers have no address. It logs nothing."""

    def setup(self) -> None:
        self.client_address = ("unix", 0)
        super().setup()

    def log_message(self, *_: object) -> None:
        pass


class StubS3(BaseHTTPRequestHandler):
    """Answers signed GETs of `/media/streams/…`; `server.hits` counts them, `server.missing` are 403 as at S3."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        self.server.hits[path] += 1
        signed = query == "signed=" + path.removeprefix("/media/") and self.headers["Host"] == self.server.host
        if self.server.failing:
            return self.reply(500, b"<Error/>", "application/xml")
        if not signed or path in self.server.missing:
            return self.reply(403, b"<Error/>", "application/xml")
        if path.endswith(".m3u8"):
            playlist = LONG_PLAYLIST if "long" in path else PLAYLIST
            if "clock" in path:
                playlist = PLAYLIST + f"# fetched at:{time.time()}".encode()
            return self.reply(200, playlist, "application/vnd.apple.mpegurl")
        return self.reply(200, LONG_SEGMENT if "long" in path else SEGMENT, "video/mp2t", self.server.media_ms)

    def reply(self, status: int, body: bytes, kind: str, media_ms: int | None = None) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "ETag": '"e"', "x-amz-request-id": "secret"}
        if media_ms is not None:
            headers["x-amz-meta-media-ms"] = str(media_ms)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Gateway:
    """A running nginx and the stubs behind it."""

    url: str
    rule: Rule
    s3: LongQueueServer
    endpoints: UnixServer
    denylist: FileDenylist
    process: subprocess.Popen[bytes]
    log_path: Path
    client: httpx.Client

    def get(self, path: str, session: str = "a" * 26, *, method: str = "GET", token: str | None = None, **headers):
        headers = {"Authorization": f"Bearer {token or 't-' + session}", **headers}
        return self.client.request(method, f"{self.url}/play/{session}/{path}", headers=headers)

    def connect(self) -> socket.socket:
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=5)

    def exchange(self, request: bytes) -> bytes:
        """Send a request unchanged and return the whole response, after which nginx closes the connection."""
        with self.connect() as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    def logged(self) -> list[dict[str, object]]:
        """Stop nginx and return all entries of its access log."""
        lines = [json.loads(line) for line in self.stop().splitlines() if line.startswith("{")]
        return [line for line in lines if "method" in line]

    def stop(self) -> str:
        """Stop nginx and return all of its output."""
        self.process.terminate()
        self.process.wait(10)
        return self.log_path.read_text()

    def hits(self, path: str) -> int:
        return self.s3.hits["/media/streams/" + path]


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers.get_list("Cache-Control") == ["no-store"]
    assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"]


def empty(config: GatewayConfig) -> None:
    """Remove the caches, denials and sockets of an earlier nginx."""
    for leftover in [*config.state_dir.glob("cache-*"), config.denylist_dir]:
        shutil.rmtree(leftover, ignore_errors=True)
    for name in (config.endpoints_socket, config.origin_socket, config.api_socket):
        name.unlink(missing_ok=True)


def stub_s3(config: GatewayConfig) -> LongQueueServer:
    host, port = config.s3_host.split(":")
    s3 = LongQueueServer((host, int(port)), StubS3)
    s3.hits, s3.missing, s3.host, s3.failing = Counter(), set(), config.s3_host, False
    return s3


@contextmanager
def serving(*servers: socketserver.BaseServer) -> Iterator[None]:
    """Run servers in threads, and close them at the end."""
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def wsgi_server(path: Path, app: Callable[..., Any] | None = None) -> UnixServer:
    server = UnixServer(str(path), Quiet)
    server.set_app(app)
    return server


def endpoint_server(config: GatewayConfig, authorize: Any, denylist: FileDenylist, now_ms: Any) -> UnixServer:
    """Return a server of the product's endpoints over this access rule, with the signatures of `StubS3`."""
    services = EndpointServices(
        authorize=authorize,
        signed_query=lambda key, _: "signed=" + key,
        denial_reason=denylist.reason,
        find_stream=lambda _: None,
        now_ms=now_ms,
    )
    return wsgi_server(config.endpoints_socket, application(services))


def nginx_argv(directory: Path, configuration: Path) -> list[str]:
    return ["/usr/sbin/nginx", "-p", str(directory), "-c", str(configuration), "-e", "stderr"]


@contextmanager
def run_nginx(config: Any, text: str = "", **options: Any) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run nginx. Return its process and its log when it listens."""
    path, log_path = config.state_dir / "nginx.conf", config.state_dir / "out.log"
    path.write_text(text or render(config))
    log_path.unlink(missing_ok=True)
    # nginx opens the access log once more. Without appending, its errors would overwrite lines.
    with log_path.open("ab") as log:
        process = subprocess.Popen(nginx_argv(config.state_dir, path), stdout=log, stderr=log, **options)
    try:
        await_server(int(config.listen.split(":")[1]), process, log_path)
        yield process, log_path
    finally:
        process.terminate()
        process.wait(10)
