"""The platform as an HTTP server in a thread: the real app over stores in memory, and a gateway for media."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler

import pytest

from tests.integration.player.fault_injector import FaultInjector, Wsgi
from tests.integration.player.media_endpoint import MediaEndpoint
from tests.integration.player.memory_platform import MemoryPlatform


class PlatformServer(MemoryPlatform, FaultInjector):
    """The server. Tests set its attributes."""

    def __init__(self, media: Path, patch: pytest.MonkeyPatch) -> None:
        MemoryPlatform.__init__(self, patch)
        FaultInjector.__init__(self, self._route)
        self.media = MediaEndpoint(media, self.endpoint_services)
        self._server = _WsgiServer(self)
        self.server_port = self._server.server_port
        self.url = self.media_url = f"http://127.0.0.1:{self.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        MemoryPlatform.close(self)

    def _route(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        app = self.media if environ["PATH_INFO"].startswith("/play/") else self.app
        return app(environ, start_response)


class _WsgiServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    base_environ: dict[str, str] = {}  # noqa: RUF012 - the name that WSGIRequestHandler reads

    def __init__(self, app: Wsgi) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.app = app
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore connections that the player closed."""


class _Handler(WSGIRequestHandler):
    """A handler that keeps connections open, as nginx does. That of wsgiref closes each after one response."""

    server: _WsgiServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536
    handle = BaseHTTPRequestHandler.handle

    def log_message(self, format: str, *args: object) -> None:
        pass

    def respond(self) -> None:
        environ = {**self.get_environ(), "RAW_URI": self.path, "wsgi.input": self.rfile}
        responses: list[tuple[str, list[tuple[str, str]]]] = []
        try:
            data = b"".join(self.server.app(environ, lambda *sent: responses.append(sent)))
        except ConnectionAbortedError:
            self.close_connection = True
            return
        status, headers = responses[-1]
        self.send_response(int(status[:3]))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = respond  # noqa: N815 - the names that BaseHTTPRequestHandler calls
