"""The egress proxy: one for each receiver, on the loopback interface, as its only way out by https and rtmps.

With a proxy for each source, its refusals are known apart, a hostile source uses up only its own
connections, and the proxy ends with its receiver. It costs a socket and a thread.

For https, the receiver sends plain HTTP to the proxy, which asks the source over TLS. Every request, of playlists,
segments and keys alike, is checked by the rules for the operator's URL, resolved again, and sent to the very address
that was checked, so that a name whose address changes (DNS rebinding) gains nothing. Each certificate is verified. For
rtmps it is a tunnel (CONNECT) to the source's own host and port and nowhere else; the receiver verifies the
certificate.

Playlists and segments of HLS pass through `worker.ingest.hls.session`, which chooses the variant, leaves out what was
played before, and detects when nothing new comes.

Threads are daemons and the sockets are the worker's own: all of them end with the worker.
"""

import logging
import selectors
import socket
import ssl
import threading
import time
from contextlib import ExitStack, suppress
from functools import partial
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from chalicelib.domain.errors import SourceUrlRefused
from chalicelib.domain.streams.source_urls import SourceUrl, check_source_url
from worker.egress_rules import EgressRules
from worker.ingest.egress.connections import connect, secure
from worker.ingest.egress.http import CHUNK_BYTES, Answer, Request, ask, own_response, read_request
from worker.ingest.egress.sockets import OpenSockets
from worker.ingest.errors import EgressRefused
from worker.ingest.hls.session import HlsSession
from worker.receiving.discontinuities import TAG_ADDRESS

# A receiver uses two or three at a time for each rendition of a source.
CONNECTIONS_MAX = 16
IDLE_S_MAX = 10.0
# A refusal explains a failure this soon after it: longer than a source may take to open, or be silent.
REFUSAL_S_MAX = 30.0
LOG_INTERVAL_S = 10.0
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"

log = logging.getLogger(__name__)


class Egress:
    """The proxy of one source. Between `start` and `stop`, its receiver finds it at `url`."""

    def __init__(self, source: SourceUrl, rules: EgressRules, hls: HlsSession | None = None) -> None:
        self.hls = hls or HlsSession()
        self._source = source
        self._rules = rules
        self._tls = ssl.create_default_context(cafile=rules.ca_file)
        self._sockets = OpenSockets()
        self._port = 0
        self._slots = threading.BoundedSemaphore(CONNECTIONS_MAX)
        # What was refused last, and when.
        self._refusal: tuple[float, str] | None = None
        self._log_at_s = 0.0

    def start(self) -> None:
        """Listen on a free port of the loopback interface."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS_MAX)
        self._sockets.add(listener)
        self._port = listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,), name="egress", daemon=True).start()

    def stop(self) -> None:
        """Close every connection and accept no more. A look-up that waits for the resolver ends within seconds."""
        self._sockets.shut()

    @property
    def url(self) -> str:
        """Return the address, for the receiver's option `http_proxy`."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def last_refusal(self) -> str | None:
        """Return why something was recently refused or could not be fetched; None if nothing was."""
        refusal = self._refusal
        return refusal[1] if refusal and time.monotonic() - refusal[0] <= REFUSAL_S_MAX else None

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # it was closed
            while True:
                client, _ = listener.accept()
                if self._slots.acquire(blocking=False):
                    threading.Thread(target=self._serve, args=(client,), name="egress", daemon=True).start()
                else:
                    self._note(f"more than {CONNECTIONS_MAX} connections at a time")
                    client.close()
        self._sockets.drop(listener)

    def _serve(self, client: socket.socket) -> None:
        with ExitStack() as cleanup:
            cleanup.callback(self._slots.release)
            try:
                self._open(cleanup, client, IDLE_S_MAX)
                request = read_request(client)
                if self._source.scheme == "https":
                    self._fetch(cleanup, client, request)
                else:
                    self._tunnel(cleanup, client, request)
            except EgressRefused as refused:
                self._note(str(refused))
                with suppress(OSError):
                    client.sendall(own_response(refused.status))
            except OSError:
                # The receiver has disconnected, or nothing moved for too long. Both ends are closed.
                pass

    def _fetch(self, cleanup: ExitStack, client: socket.socket, request: Request) -> None:
        """Fetch over TLS what the receiver asks for in plain HTTP."""
        if request.method != "GET" or not request.target.startswith("http://"):
            raise EgressRefused(HTTPStatus.METHOD_NOT_ALLOWED, f"the receiver asked by {request.method}; allowed: GET")
        if request.target == TAG_ADDRESS:
            client.sendall(own_response(HTTPStatus.OK, " ".join(map(str, self.hls.recent_tags()))))
            return
        target = self._target("https" + request.target.removeprefix("http"))
        time.sleep(self.hls.delay_s(target.url))
        accept = self.hls.segment(target.url, request.headers.get("range", ""))
        try:
            answer = self._ask(cleanup, target, request)
        except EgressRefused as refused:
            self.hls.record_miss(target.url, refused.status)
            raise
        pieces = answer.pieces(partial(self.hls.playlist, target.url), accept)
        client.sendall(next(pieces))
        try:
            for piece in pieces:
                client.sendall(piece)
        except EgressRefused as broken:
            # Too late for a status: the receiver has one. It detects that the answer ends too early.
            self._note(str(broken))

    def _ask(self, cleanup: ExitStack, target: SourceUrl, request: Request) -> Answer:
        register = partial(self._open, cleanup)
        upstream = secure(connect(target, self._rules, register), target, self._tls, register)
        upstream.settimeout(IDLE_S_MAX)
        return ask(upstream, target, request)

    def _target(self, url: str) -> SourceUrl:
        """Return the URL at the source. The receiver has the operator's URL without its query."""
        if url == self._source.without_query:
            return self._source
        try:
            return check_source_url(url, ports=self._rules.ports, networks=self._rules.networks)
        except SourceUrlRefused as refused:
            raise EgressRefused(HTTPStatus.FORBIDDEN, refused.detail) from None

    def _tunnel(self, cleanup: ExitStack, client: socket.socket, request: Request) -> None:
        """Pass bytes between the receiver and the source itself."""
        place = urlsplit(self._source.url).netloc
        if request.method != "CONNECT" or request.target.lower() != place:
            asked = f"the receiver asked by {request.method}; allowed: CONNECT to {place}"
            raise EgressRefused(HTTPStatus.FORBIDDEN, asked)
        upstream = connect(self._source, self._rules, partial(self._open, cleanup))
        client.sendall(ESTABLISHED)
        upstream.settimeout(IDLE_S_MAX)
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, upstream)
            selector.register(upstream, selectors.EVENT_READ, client)
            while ready := selector.select(IDLE_S_MAX):
                for key, _ in ready:
                    data = cast(socket.socket, key.fileobj).recv(CHUNK_BYTES)
                    if not data:
                        return
                    key.data.sendall(data)
        self._note(f"{place} sent nothing for {IDLE_S_MAX:.0f} s")

    def _open(self, cleanup: ExitStack, each: socket.socket, timeout_s: float) -> None:
        cleanup.callback(self._sockets.drop, each)
        self._sockets.add(each)
        each.settimeout(timeout_s)

    def _note(self, reason: str) -> None:
        # Receivers retry: the same reason is logged once. Hostile playlists cause another one each time.
        now_s = time.monotonic()
        if reason != self.last_refusal and now_s >= self._log_at_s:
            self._log_at_s = now_s + LOG_INTERVAL_S
            log.warning("a source is refused", extra={"host": self._source.host, "reason": reason})
        self._refusal = (now_s, reason)
