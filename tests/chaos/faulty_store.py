"""A proxy between one worker and S3. It can make writes fail, and records the writes."""

import http.client
import random
import socket
import struct
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

IO_S_MAX = 30.0
WRITES = ("PUT", "POST", "DELETE")
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}
BUSY = b"<Error><Code>SlowDown</Code><Message>injected</Message></Error>"


@dataclass(frozen=True)
class Write:
    """A successful write, with the monotonic time of its first byte."""

    began_at_s: float
    method: str
    path: str


class FaultyStore:
    """Forwards to the store on `upstream_port`. While `failing`, no write succeeds."""

    def __init__(self, upstream_port: int, rng: random.Random) -> None:
        self.failing = False
        self.failed = 0
        self.writes: list[Write] = []
        self._upstream_port = upstream_port
        self._rng = rng
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = IO_S_MAX

            def handle(self) -> None:
                # Killed workers reset their connections.
                try:
                    super().handle()
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                store._handle(self)

            do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(IO_S_MAX)

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        began_at_s = time.monotonic()
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        is_write = request.command in WRITES
        if is_write and self.failing:
            self.failed += 1
            fault = self._rng.choice(("busy", "reset", "lost answer"))
            if fault == "busy":
                return _answer(request, 503, {"Content-Type": "application/xml"}, BUSY)
            if fault == "lost answer":
                self._forward(request, body, began_at_s)
            return _reset(request)
        status, headers, answer = self._forward(request, body, began_at_s)
        return _answer(request, status, headers, answer)

    def _forward(
        self, request: BaseHTTPRequestHandler, body: bytes, began_at_s: float
    ) -> tuple[int, dict[str, str], bytes]:
        upstream = http.client.HTTPConnection("127.0.0.1", self._upstream_port, timeout=IO_S_MAX)
        try:
            upstream.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    upstream.putheader(name, value)
            upstream.endheaders(body or None)
            response = upstream.getresponse()
            answer = response.read()
        finally:
            upstream.close()
        if request.command in WRITES and response.status < 300:
            self.writes.append(Write(began_at_s, request.command, request.path))
        return response.status, dict(response.getheaders()), answer


def _answer(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    request.send_response_only(status)
    for name, value in headers.items():
        if name.lower() not in HOP_BY_HOP | {"content-length"}:
            request.send_header(name, value)
    length = headers.get("Content-Length") or headers.get("content-length") if request.command == "HEAD" else None
    request.send_header("Content-Length", length or str(len(body)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


def _reset(request: BaseHTTPRequestHandler) -> None:
    """Reset the connection."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.close_connection = True
