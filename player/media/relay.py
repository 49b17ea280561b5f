"""The relay on 127.0.0.1 that mpv plays from: it adds the play token of the moment to every media request.

Only mpv can use it: the first part of the path is a secret that is in no command line, and the Host header must be
the relay's own, so that no web page can reach it either.
"""

import hmac
import re
import secrets
import select
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from player.media.credentials import Gate, GateClosedError, GateTimeoutError
from player.media.upstream import HOLD_S_MAX, MediaUnavailableError, Upstream

PATH = re.compile(r"/([A-Za-z0-9_-]+)/((?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*)")
PATH_CHARS_MAX = 400
PLAYLIST_BYTES_MAX = 4 * 1024 * 1024
CHUNK_BYTES = 65_536
PASSED_DOWN = ("Content-Type", "Content-Range", "Accept-Ranges")
# mpv looks for a new segment a whole one after it found one, and half of one after it found none: what is named just
# after a look is played so much later, and after a stall that makes the next stall. So we look this often in its place.
# It costs an answer without a body.
NEWS_EVERY_S = 0.4
NEWS_S_MAX = 3.0


@dataclass(frozen=True)
class Passed:
    """The media playlist that mpv got last; `etag` is empty where the gateway sent none."""

    path: str
    etag: str
    body: bytes
    content_type: str


class Relay(ThreadingHTTPServer):
    """The HTTP server. It serves from `start` to `close`, each connection in a thread of its own."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, gate: Gate, upstream: Upstream) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.gate, self.upstream = gate, upstream
        self.secret = secrets.token_urlsafe(24)
        self.saw_end_of_stream = False
        self.passed = Passed("", "", b"", "")
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="relay", daemon=True)

    @property
    def host(self) -> str:
        """The Host header of requests that are meant for this relay."""
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        """The address of the stream's playlist, for mpv only."""
        return f"http://{self.host}/{self.secret}/index.m3u8"

    def start(self) -> None:
        """Start serving."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving, and drop all connections."""
        self.gate.close()
        if self._thread.is_alive():
            self.shutdown()
        self.server_close()
        self.upstream.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Do nothing: a connection that mpv dropped is no news, and the terminal belongs to the status line."""


class _Handler(BaseHTTPRequestHandler):
    server: Relay
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Tollcast", ""
    disable_nagle_algorithm = True
    wbufsize = CHUNK_BYTES
    timeout = 600  # longer than mpv ever leaves a kept connection alone, but not for ever

    def do_GET(self) -> None:
        self._relay()

    def do_HEAD(self) -> None:
        self._relay()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: paths hold the secret."""

    def _relay(self) -> None:
        path = self._allowed_path()
        if path is None:
            self._answer(404)
            return
        try:
            self.server.gate.ticket(HOLD_S_MAX)
            if _hung_up(self.connection):
                self.close_connection = True
                return
            if path.endswith(".m3u8") and self.command == "GET":
                self._give_playlist(path)
                return
            wanted = {"Range": self.headers["Range"]} if "Range" in self.headers else {}
            with self.server.upstream.open(self.command, path, wanted) as response:
                self._pass_down(response)
        except GateClosedError:
            self._answer(410)
        except GateTimeoutError:
            self._answer(503)
        except MediaUnavailableError as error:
            self._answer(error.status)

    def _allowed_path(self) -> str | None:
        match = PATH.fullmatch(self.path) if len(self.path) <= PATH_CHARS_MAX else None
        if match is None or self.headers.get("Host") != self.server.host:
            return None
        return match[2] if hmac.compare_digest(match[1], self.server.secret) else None

    def _give_playlist(self, path: str) -> None:
        """Give a playlist as soon as it names something new, or after a while as it was."""
        until_s = time.monotonic() + NEWS_S_MAX
        passed = self.server.passed
        # By gzip the hundreds of kilobytes of a window of hours are a tenth of that.
        wanted = {"Accept-Encoding": "gzip"}
        if passed.path == path and passed.etag:
            wanted["If-None-Match"] = passed.etag
        while True:
            with self.server.upstream.open("GET", path, wanted) as response:
                if response.status_code == 200:
                    self._pass_playlist(path, response)
                    return
                if response.status_code != 304:
                    self._pass_down(response)
                    return
            if time.monotonic() >= until_s:
                self._answer(200, passed.body, passed.content_type)
                return
            if self.server.gate.wait_closed(NEWS_EVERY_S):
                raise GateClosedError
            if _hung_up(self.connection):
                self.close_connection = True
                return

    def _pass_down(self, response: httpx.Response) -> None:
        length = response.headers.get("Content-Length")
        self._head(response, {"Content-Length": length} if length else {"Transfer-Encoding": "chunked"})
        if self.command == "HEAD":
            return
        try:
            for chunk in response.iter_raw(CHUNK_BYTES):
                self.wfile.write(chunk if length else b"%x\r\n%b\r\n" % (len(chunk), chunk))
        except httpx.HTTPError:
            self.close_connection = True  # mpv sees that the body is cut short, and goes on with the next segment
            return
        if not length:
            self.wfile.write(b"0\r\n\r\n")

    def _pass_playlist(self, path: str, response: httpx.Response) -> None:
        """Pass a playlist as a whole: a part of one would be taken for the end of the stream."""
        body = b""
        try:
            for chunk in response.iter_bytes(CHUNK_BYTES):
                body += chunk
                if len(body) > PLAYLIST_BYTES_MAX:
                    raise MediaUnavailableError(502)
        except httpx.HTTPError:
            raise MediaUnavailableError(502) from None
        self.server.saw_end_of_stream = b"#EXT-X-ENDLIST" in body
        content_type = response.headers.get("Content-Type", "")
        # Nothing new comes into a playlist that only names others.
        if b"#EXTINF" in body:
            self.server.passed = Passed(path, response.headers.get("ETag", ""), body, content_type)
        self._answer(200, body, content_type)

    def _head(self, response: httpx.Response, framing: dict[str, str]) -> None:
        self.send_response(response.status_code)
        for name in PASSED_DOWN:
            if name in response.headers:
                self.send_header(name, response.headers[name])
        for name, value in framing.items():
            self.send_header(name, value)
        self.end_headers()

    def _answer(self, status: int, body: bytes = b"", content_type: str = "") -> None:
        self.send_response(status)
        if content_type:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _hung_up(connection: socket.socket) -> bool:
    """Return whether mpv gave up waiting: there is no point in fetching for nobody."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
