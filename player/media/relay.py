"""The relay on 127.0.0.1 that mpv plays from: it adds the current play token to every media request.

Only mpv can use it: the path begins with a secret that is in no command line. The Host header must be the relay's
own, so that web pages cannot use it either.
"""

import hmac
import itertools
import re
import secrets
import select
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from player.media.codec_change import CodecParts
from player.media.credentials import CredentialsProvider, CredentialsTimeoutError, SessionOverError
from player.media.upstream import HOLD_S_MAX, MediaUnavailableError, Upstream

PATH = re.compile(r"/([A-Za-z0-9_-]+)/((?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*)")
PATH_CHARS_MAX = 400
PLAYLIST_BYTES_MAX = 4 * 1024 * 1024
CHUNK_BYTES = 65_536
FORWARDED_HEADERS = ("Content-Type", "Content-Range", "Accept-Ranges")
# mpv polls a playlist once or twice a segment, so it can find a new segment late, and then it stalls. The relay polls
# more often for it, with conditional requests (304), and answers as soon as the playlist has changed.
POLL_S = 0.4
POLL_S_MAX = 3.0


@dataclass(frozen=True)
class SentPlaylist:
    """The media playlist that was sent to mpv last. `etag` is empty if the gateway sent none."""

    path: str
    etag: str
    body: bytes
    content_type: str


class Relay(ThreadingHTTPServer):
    """The HTTP server, with a thread for each connection.

    Requests must have `host` as their header Host. `url` is the address of the stream's playlist, with the secret.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, credentials: CredentialsProvider, upstream: Upstream) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.credentials, self.upstream = credentials, upstream
        self.secret = secrets.token_urlsafe(24)
        self.host = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.host}/{self.secret}/index.m3u8"
        self.saw_end_of_stream = False
        self.sent_playlist = SentPlaylist("", "", b"", "")
        self.parts = CodecParts()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="relay", daemon=True)

    def begin_part(self) -> None:
        """Serve the stream from where its next part begins: mpv opens it, and waits for no change first."""
        self.parts.next_part()
        self.sent_playlist = SentPlaylist("", "", b"", "")

    def start(self) -> None:
        """Start serving."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving, and close all connections."""
        self.credentials.close()
        if self._thread.is_alive():
            self.shutdown()
        self.server_close()
        self.upstream.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore connections that mpv closed: the terminal shows the status line only."""


class _Handler(BaseHTTPRequestHandler):
    server: Relay
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Tollcast", ""
    disable_nagle_algorithm = True
    wbufsize = CHUNK_BYTES
    timeout = 600  # mpv uses a kept connection more often than that

    def do_GET(self) -> None:
        self._relay()

    def do_HEAD(self) -> None:
        self._relay()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: paths contain the secret."""

    def _relay(self) -> None:
        path = self._allowed_path()
        if path is None:
            self._answer(404)
            return
        try:
            self.server.credentials.get(HOLD_S_MAX)
            if _is_closed_by_peer(self.connection):
                self.close_connection = True
                return
            if path.endswith(".m3u8") and self.command == "GET":
                self._send_when_changed(path)
                return
            headers = {"Range": self.headers["Range"]} if "Range" in self.headers else {}
            with self.server.upstream.open(self.command, path, headers, self._is_wanted) as response:
                self._forward(path, response)
        except SessionOverError:
            self._answer(410)
        except CredentialsTimeoutError:
            self._answer(503)
        except MediaUnavailableError as error:
            self._answer(error.status)

    def _is_wanted(self) -> bool:
        return not _is_closed_by_peer(self.connection)

    def _allowed_path(self) -> str | None:
        match = PATH.fullmatch(self.path) if len(self.path) <= PATH_CHARS_MAX else None
        if match is None or self.headers.get("Host") != self.server.host:
            return None
        return match[2] if hmac.compare_digest(match[1], self.server.secret) else None

    def _send_when_changed(self, path: str) -> None:
        """Send a playlist as soon as it has changed, or unchanged after POLL_S_MAX."""
        deadline = time.monotonic() + POLL_S_MAX
        sent = self.server.sent_playlist
        # gzip makes the playlist of a window of hours, some hundred kilobytes, ten times smaller.
        headers = {"Accept-Encoding": "gzip"}
        if sent.path == path and sent.etag and not self.server.parts.is_ending:
            headers["If-None-Match"] = sent.etag
        while True:
            with self.server.upstream.open("GET", path, headers) as response:
                if response.status_code == 200:
                    self._send_playlist(path, response)
                    return
                if response.status_code != 304:
                    self._forward(path, response)
                    return
            if time.monotonic() >= deadline:
                self._answer(200, self.server.parts.of_playlist(sent.body), sent.content_type)
                return
            if self.server.credentials.wait_closed(POLL_S):
                raise SessionOverError
            if _is_closed_by_peer(self.connection):
                self.close_connection = True
                return

    def _forward(self, path: str, response: httpx.Response) -> None:
        length = response.headers.get("Content-Length")
        chunks = response.iter_raw(CHUNK_BYTES)
        try:
            first = next(chunks, b"") if self.command == "GET" else b""
        except httpx.HTTPError:
            raise MediaUnavailableError(502) from None
        if path.endswith(".ts") and response.is_success and not self.server.parts.takes(path, first):
            self._answer(404)
            return
        self._send_head(response, {"Content-Length": length} if length else {"Transfer-Encoding": "chunked"})
        if self.command == "HEAD":
            return
        try:
            for chunk in itertools.chain([first] if first else [], chunks):
                self.wfile.write(chunk if length else b"%x\r\n%b\r\n" % (len(chunk), chunk))
        except httpx.HTTPError:
            self.close_connection = True  # mpv notices the short body, and continues with the next segment
            return
        if not length:
            self.wfile.write(b"0\r\n\r\n")

    def _send_playlist(self, path: str, response: httpx.Response) -> None:
        """Send a complete playlist: mpv takes an incomplete one for the end of the stream."""
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
        # A multivariant playlist is not worth polling.
        if b"#EXTINF" in body:
            self.server.sent_playlist = SentPlaylist(path, response.headers.get("ETag", ""), body, content_type)
            body = self.server.parts.of_playlist(body)
        self._answer(200, body, content_type)

    def _send_head(self, response: httpx.Response, framing: dict[str, str]) -> None:
        self.send_response(response.status_code)
        for name in FORWARDED_HEADERS:
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


def _is_closed_by_peer(connection: socket.socket) -> bool:
    """Return whether mpv closed the connection."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
