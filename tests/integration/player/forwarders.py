"""Indirect access to the platform: a mapped port, and an HTTP proxy."""

import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.integration.worker.origins import Listener, exchange


class MappedPort(Listener):
    """A port of 127.0.0.2 that is forwarded to a port of 127.0.0.1, as with `ssh -L`."""

    def __init__(self, port: int) -> None:
        self._to = port
        super().__init__("127.0.0.2")

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    def serve(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._to)) as far:
            exchange(client, far)


class HttpProxy(ThreadingHTTPServer):
    """A proxy that sends all requests to one port of 127.0.0.1. `asked` lists the servers that they name."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _ProxyHandler)
        self.to = port
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore connections that the player closed."""


class _ProxyHandler(BaseHTTPRequestHandler):
    server: HttpProxy

    def log_message(self, format: str, *args: object) -> None:
        pass

    def forward(self) -> None:
        parts = urlsplit(self.path)
        self.server.asked.append(f"{parts.scheme}://{parts.netloc}")
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        onward = http.client.HTTPConnection("127.0.0.1", self.server.to, timeout=10)
        try:
            onward.request(self.command, parts.path, body, dict(self.headers))
            answer = onward.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.read())
        finally:
            onward.close()

    do_GET = do_POST = forward  # noqa: N815 - the names that BaseHTTPRequestHandler calls
