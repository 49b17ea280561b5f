"""A bad way between clients and the API: a proxy that does to each request what its header `X-Fault` asks for."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from enum import StrEnum
from typing import Any

IO_S_MAX = 30
# The longest that one request waits for others to overtake it.
OVERTAKEN_S_MAX = 0.3
READ_BYTES = 65_536


class WireFault(StrEnum):
    """What happens to a request on its way to the API."""

    RESET = "http_reset_before_send"
    CUT_AFTER = "http_cut_after_commit"
    CUT_HALF = "http_answer_cut_in_half"
    DELAYED = "http_overtaken"
    DUPLICATE_FIRST = "http_duplicate_first_answer"
    DUPLICATE_SECOND = "http_duplicate_second_answer"
    LATE = "http_late_arrival"


DOUBLED = (WireFault.DUPLICATE_FIRST, WireFault.DUPLICATE_SECOND)


class Proxy:
    """Listens on a free port of 127.0.0.1 and forwards to `upstream_port`, one request a connection."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream = ("127.0.0.1", upstream_port)
        self._late: list[bytes] = []
        self._passed = threading.Condition()
        self._passes = 0
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                proxy._handle(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Clients hang up and the API is killed here: both ends see it, nobody needs to read it."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(IO_S_MAX)

    def land(self) -> int:
        """Let what is late arrive, the newest first; answers how many requests that were."""
        landed = 0
        while self._late:
            try:
                self._forward(self._late.pop())
            except OSError:
                continue
            landed += 1
        return landed

    def _handle(self, client: socket.socket) -> None:
        client.settimeout(IO_S_MAX)
        request = _read_request(client)
        fault = _fault(request)
        match fault:
            case WireFault.RESET:
                return _reset(client)
            case WireFault.LATE:
                self._late.append(request)
                return _reset(client)
            case WireFault.DELAYED:
                self._let_pass()
        answer = self._forward(request)
        if fault in DOUBLED:
            second = self._forward(request)
            answer = answer if fault is WireFault.DUPLICATE_FIRST else second
        with self._passed:
            self._passes += 1
            self._passed.notify_all()
        if fault is WireFault.CUT_AFTER:
            return _reset(client)
        if fault is WireFault.CUT_HALF:
            client.sendall(answer[: len(answer) // 2])
            return _reset(client)
        return client.sendall(answer)

    def _let_pass(self) -> None:
        with self._passed:
            before = self._passes
            self._passed.wait_for(lambda: self._passes >= before + 2, OVERTAKEN_S_MAX)

    def _forward(self, request: bytes) -> bytes:
        with socket.create_connection(self._upstream, IO_S_MAX) as upstream:
            upstream.sendall(request)
            answer = b""
            while part := upstream.recv(READ_BYTES):
                answer += part
            return answer


def _read_request(client: socket.socket) -> bytes:
    """A whole request: the SDK-free client here always sends a length."""
    request = b""
    while b"\r\n\r\n" not in request:
        part = client.recv(READ_BYTES)
        if not part:
            raise ConnectionError("the client hung up")
        request += part
    head, _, body = request.partition(b"\r\n\r\n")
    length = int(_header(head, b"content-length") or 0)
    while len(body) < length:
        part = client.recv(READ_BYTES)
        if not part:
            raise ConnectionError("the client hung up")
        body += part
        request += part
    return request


def _fault(request: bytes) -> WireFault | None:
    value = _header(request.partition(b"\r\n\r\n")[0], b"x-fault")
    return WireFault(value.decode()) if value else None


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return b""


def _reset(client: socket.socket) -> None:
    """Close so that the other end sees a reset and not an end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
