"""The platform as an HTTP server in a thread: the real app over stores in memory, and a gateway for media."""

import hashlib
import json
import threading
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler

import pytest

from gateway.endpoints.authorization import denial, verdict
from gateway.endpoints.services import EndpointServices
from tests.integration.player.fault_injector import FaultInjector, Wsgi
from tests.integration.player.memory_platform import MemoryPlatform

PLAYLIST = "application/vnd.apple.mpegurl"


class PlatformServer(MemoryPlatform, FaultInjector):
    """The server, which is also an HTTP proxy to itself: `proxied` lists the servers that requests to it name."""

    def __init__(self, media: Path, patch: pytest.MonkeyPatch) -> None:
        MemoryPlatform.__init__(self, patch)
        FaultInjector.__init__(self, self._route)
        self.proxied: list[str] = []
        self.media = MediaEndpoint(media, self.endpoint_services)
        self._server = WsgiServer(self)
        self.url = self.media_url = self._server.url

    def mapped(self) -> "closing[WsgiServer]":
        """Serve the platform at another address too, as `ssh -L` and the port mapping of a container do."""
        return closing(WsgiServer(self, "127.0.0.2"))

    def close(self) -> None:
        self._server.close()
        MemoryPlatform.close(self)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        parts = urlsplit(environ["RAW_URI"])
        if parts.netloc:
            self.proxied.append(f"{parts.scheme}://{parts.netloc}")
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            environ = {**environ, "RAW_URI": path, "PATH_INFO": parts.path}
        return super().__call__(environ, start_response)

    def _route(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        app = self.media if environ["PATH_INFO"].startswith("/play/") else self.app
        return app(environ, start_response)


class MediaEndpoint:
    """The gateway without nginx: a server of a directory's files, authorized by the gateway's own endpoints."""

    def __init__(self, directory: Path, services: EndpointServices) -> None:
        self.directory = directory
        self._services = services

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        status, kind, data = self._respond(environ)
        headers = {"Content-Type": kind}
        if kind == PLAYLIST:
            headers["ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
            if environ.get("HTTP_IF_NONE_MATCH") == headers["ETag"]:
                status, data = 304, b""
        headers["Content-Length"] = str(len(data))
        start_response(f"{status} Status", list(headers.items()))
        return [data]

    def _respond(self, environ: dict[str, Any]) -> tuple[int, str, bytes]:
        _, _, session_id, file = environ["PATH_INFO"].split("/", 3)
        question = {
            "HTTP_AUTHORIZATION": environ.get("HTTP_AUTHORIZATION", ""),
            "HTTP_X_TOLLCAST_SESSION": session_id,
            "HTTP_X_TOLLCAST_ADDRESS": environ["REMOTE_ADDR"],
            "HTTP_X_TOLLCAST_AGENT": environ.get("HTTP_USER_AGENT", ""),
        }
        if verdict(self._services, question).status != 200:
            refusal = denial(self._services, question)
            return refusal.status, "application/problem+json", json.dumps(refusal.document).encode()
        try:
            data = (self.directory / file).read_bytes()
        except OSError:
            return 404, "text/html", b""
        return 200, PLAYLIST if file.endswith(".m3u8") else "video/mp2t", data


class WsgiServer(ThreadingHTTPServer):
    """A server of a WSGI application in a thread."""

    daemon_threads = True
    block_on_close = False
    base_environ: dict[str, str] = {}  # noqa: RUF012 - the name that WSGIRequestHandler reads

    def __init__(self, app: Wsgi, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), _Handler)
        self.app = app
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]}:{self.server_port}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore connections that the player closed."""


class _Handler(WSGIRequestHandler):
    """A handler that keeps connections open, as nginx does. That of wsgiref closes each after one response."""

    server: WsgiServer
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

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815 - the names that BaseHTTPRequestHandler calls
