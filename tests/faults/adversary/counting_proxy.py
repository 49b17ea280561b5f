"""A reverse proxy between the real player and the gateway, which counts the media that it passes on."""

import http.client
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from tests.faults.adversary.media_client import CHUNK, ENTRY
from tests.faults.adversary.received import Received, Segment

UPSTREAM_S_MAX = 40.0
MEDIA = re.compile(r"/play/([a-z2-7]{26})/([a-z0-9]+)/([a-z0-9-]+\.ts|index\.m3u8)")
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


class CountingProxy:
    """A context manager. `received` has the media that the player took; answers name the proxy as their server."""

    def __init__(self, upstream: str) -> None:
        self.received = Received()
        self.upstream = upstream
        self.durations_ms: dict[tuple[str, str], float] = {}
        proxy = self

        class Handler(_Handler):
            """The handler of this proxy."""

            @property
            def proxy(self) -> CountingProxy:
                return proxy

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Print nothing: the player closes connections when it likes."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Any

    def do_GET(self) -> None:
        parts = urlsplit(self.proxy.upstream)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=UPSTREAM_S_MAX)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        headers.pop("Accept-Encoding", None)
        try:
            connection.request(self.command, self.path, body or None, {**headers, "Host": parts.netloc})
            self._pass_on(connection.getresponse())
        except (OSError, http.client.HTTPException):
            self.close_connection = True
        finally:
            connection.close()

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _pass_on(self, response: http.client.HTTPResponse) -> None:
        media = MEDIA.fullmatch(self.path)
        if media and media[3].endswith(".ts") and response.status in (200, 206):
            self._pass_segment(response, Segment(f"{media[2]}/{media[3]}", self._duration_ms(media)), media[1])
            return
        body = response.read()
        if media and response.status == 200:
            for duration, path in ENTRY.findall(body.decode()):
                self.proxy.durations_ms[media[2], path] = float(duration) * 1000
        self._head(response, len(body := body.replace(self.proxy.upstream.encode(), self.proxy.url.encode())))
        self.wfile.write(body)

    def _pass_segment(self, response: http.client.HTTPResponse, segment: Segment, session_id: str) -> None:
        size = int(response.headers["Content-Length"])
        ranged = re.fullmatch(r"bytes ([0-9]+)-[0-9]+/([0-9]+)", response.headers.get("Content-Range", ""))
        first, whole = (int(ranged[1]), int(ranged[2])) if ranged else (0, size)
        self._head(response, size)
        passed = 0
        try:
            while piece := response.read(CHUNK):
                self.wfile.write(piece)
                passed += len(piece)
        finally:
            self.proxy.received.add(session_id, segment, first, passed, whole)

    def _duration_ms(self, media: re.Match[str]) -> float:
        return float(self.proxy.durations_ms[media[2], media[3]])

    def _head(self, response: http.client.HTTPResponse, size: int) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(size))
        self.end_headers()
