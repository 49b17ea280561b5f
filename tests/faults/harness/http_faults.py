"""A proxy between clients and the API. It injects the fault that a request names in its header `X-Fault`."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from enum import StrEnum
from typing import Any, BinaryIO

IO_S_MAX = 30
# A request waits at most this long for others to overtake it.
DELAY_S_MAX = 0.3
READ_BYTES = 65_536


class HttpFault(StrEnum):
    """A fault of a request on its way to the API."""

    RESET = "http_reset_before_send"
    CUT_AFTER = "http_cut_after_commit"
    CUT_HALF = "http_answer_cut_in_half"
    DELAYED = "http_overtaken"
    DUPLICATE_FIRST = "http_duplicate_first_answer"
    DUPLICATE_SECOND = "http_duplicate_second_answer"
    LATE = "http_late_arrival"


DUPLICATES = (HttpFault.DUPLICATE_FIRST, HttpFault.DUPLICATE_SECOND)


class FaultyProxy:
    """Listens on a free port of 127.0.0.1 and forwards one request a connection to `upstream_port`."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream = ("127.0.0.1", upstream_port)
        self._late: list[bytes] = []
        self._passed = threading.Condition()
        self._passes = 0
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = IO_S_MAX

            def handle(self) -> None:
                proxy._handle(self.connection, *_read_request(self.rfile))

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Ignore clients that hang up, and killed workers of the API."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> FaultyProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(IO_S_MAX)

    def deliver_late(self) -> int:
        """Send the delayed requests, the newest first. Returns how many there were."""
        sent = 0
        while self._late:
            try:
                self._forward(self._late.pop())
            except OSError:
                continue
            sent += 1
        return sent

    def _handle(self, client: socket.socket, request: bytes, fault: HttpFault | None) -> None:
        match fault:
            case HttpFault.RESET:
                return _reset(client)
            case HttpFault.LATE:
                self._late.append(request)
                return _reset(client)
            case HttpFault.DELAYED:
                self._wait_for_others()
        answer = self._forward(request)
        if fault in DUPLICATES:
            second = self._forward(request)
            answer = answer if fault is HttpFault.DUPLICATE_FIRST else second
        with self._passed:
            self._passes += 1
            self._passed.notify_all()
        if fault is HttpFault.CUT_AFTER:
            return _reset(client)
        if fault is HttpFault.CUT_HALF:
            client.sendall(answer[: len(answer) // 2])
            return _reset(client)
        return client.sendall(answer)

    def _wait_for_others(self) -> None:
        with self._passed:
            before = self._passes
            self._passed.wait_for(lambda: self._passes >= before + 2, DELAY_S_MAX)

    def _forward(self, request: bytes) -> bytes:
        with socket.create_connection(self._upstream, IO_S_MAX) as upstream:
            upstream.sendall(request)
            answer = b""
            while part := upstream.recv(READ_BYTES):
                answer += part
            return answer


def _read_request(stream: BinaryIO) -> tuple[bytes, HttpFault | None]:
    """Read a request, whose length the client always sends. Returns it with the fault that it names."""
    head = []
    while (line := stream.readline()) != b"\r\n":
        if not line:
            raise ConnectionError("the client hung up")
        head.append(line)
    fields = (line.partition(b":") for line in head[1:])
    headers = {name.lower(): value.strip().decode() for name, _, value in fields}
    body = stream.read(int(headers.get(b"content-length", 0)))
    return b"".join([*head, b"\r\n", body]), HttpFault(headers[b"x-fault"]) if b"x-fault" in headers else None


def _reset(client: socket.socket) -> None:
    """Close the connection with a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
