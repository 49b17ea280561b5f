"""The HTTP of the egress proxy: in plain text with a receiver, over TLS with the source's servers."""

import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlsplit

from chalicelib.domain.streams.source_urls import SourceUrl
from worker.ingest.errors import EgressRefused
from worker.ingest.hls.session import SEGMENT_START_BYTES, Accept

HEAD_BYTES_MAX = 16_384
PLAYLIST_BYTES_MAX = 1_048_576
PLAYLIST_S_MAX = 10.0
CHUNK_BYTES = 65_536
PLAYLIST_START = b"#EXTM3U"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
START_BYTES = len(BYTE_ORDER_MARK + PLAYLIST_START)
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
# URIs of a playlist: a whole line, or the attribute URI.
ABSOLUTE = re.compile(rb'(^[ \t]*|URI=")https://', re.IGNORECASE | re.MULTILINE)
# An address in a client's log: the host, the path, and what follows a query.
CLIENT_ADDRESS = re.compile(r"http://([^\s/?'\",]+)([^\s?'\"]*)(?:\?([^\s'\"]*))?", re.IGNORECASE)
# Signs behind a query that belong to the sentence.
SENTENCE_SIGNS = "],:"
REQUEST_LINE = re.compile(r"([A-Z]{1,16}) ([!-~]+) HTTP/1\.[01]")
REQUEST_HEADERS = ("User-Agent", "Range", "Cookie")
ANSWER_HEADERS = ("Content-Type", "Content-Range", "Accept-Ranges", "Set-Cookie")


@dataclass(frozen=True)
class Request:
    """A receiver's request. The names of `headers` are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]


def read_request(client: socket.socket) -> Request:
    """Return the request of a client. Raise `EgressRefused`.

    A receiver sends nothing after the head before the answer, so nothing after it is accepted.
    """
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if len(head) > HEAD_BYTES_MAX:
            raise EgressRefused(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"a request has more than {HEAD_BYTES_MAX} bytes of header"
            )
        data = client.recv(CHUNK_BYTES)
        if not data:
            raise EgressRefused(HTTPStatus.BAD_REQUEST, "a request ended before its header did")
        head += data
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    found = REQUEST_LINE.fullmatch(first)
    if not found:
        raise EgressRefused(HTTPStatus.BAD_REQUEST, "a request is not HTTP/1.1 of a proxy")
    fields = (line.partition(":") for line in lines)
    return Request(found[1], found[2], {name.strip().lower(): value.strip() for name, _, value in fields})


class Answer:
    """A successful answer of a source's server, as the receiver is to read it."""

    def __init__(self, answer: HTTPResponse, place: str) -> None:
        self._answer = answer
        self._place = place

    def pieces(self, change: Callable[[bytes], bytes], accept: Accept | None) -> Iterator[bytes]:
        """Yield a head, then the body: a playlist as `change` returns it, with http URIs for https ones.

        Security does not depend on that rewriting: the receiver has no https here, so it cannot open a missed one.
        Anything else is passed on after a call of `accept`. Both functions may raise `EgressRefused`.
        """
        start = self._read(START_BYTES)
        if start.removeprefix(BYTE_ORDER_MARK).startswith(PLAYLIST_START):
            whole = (start + self._rest_of_playlist()).removeprefix(BYTE_ORDER_MARK)
            body = ABSOLUTE.sub(rb"\1http://", change(whole))
            # Some clients recognise a playlist by its type only, and servers send many.
            yield _head(HTTPStatus.OK, {"Content-Type": PLAYLIST_TYPE, **self._headers("Set-Cookie")}, len(body)) + body
            return
        remaining = self._answer.length
        length = None if remaining is None else remaining + len(start)
        if accept:
            start += self._read(SEGMENT_START_BYTES - len(start))
            accept(start, length)
        yield _head(HTTPStatus(self._answer.status), self._headers(*ANSWER_HEADERS), length) + start
        while data := self._read():
            yield data

    def _rest_of_playlist(self) -> bytes:
        body, deadline = b"", time.monotonic() + PLAYLIST_S_MAX
        while data := self._read():
            body += data
            if len(body) > PLAYLIST_BYTES_MAX:
                reason = f"a playlist of {self._place} has more than {PLAYLIST_BYTES_MAX} bytes"
                raise EgressRefused(HTTPStatus.BAD_GATEWAY, reason)
            if time.monotonic() > deadline:
                reason = f"a playlist of {self._place} took more than {PLAYLIST_S_MAX:.0f} s"
                raise EgressRefused(HTTPStatus.GATEWAY_TIMEOUT, reason)
        return body

    def _read(self, size: int | None = None) -> bytes:
        """Return what has come, or exactly `size` bytes where the answer has as many."""
        with _failures(self._place):
            return self._answer.read1(CHUNK_BYTES) if size is None else self._answer.read(size)

    def _headers(self, *names: str) -> dict[str, str]:
        return {name: self._answer.headers[name] for name in names if name in self._answer.headers}


def ask(upstream: socket.socket, source: SourceUrl, request: Request) -> Answer:
    """Send the request over a TLS connection. Raise `EgressRefused` for answers that a receiver must not see."""
    parts = urlsplit(source.url)
    headers = {name: request.headers[name.lower()] for name in REQUEST_HEADERS if name.lower() in request.headers}
    if headers.get("Range") == "bytes=0-":
        # libavformat tests so whether it may seek. A playlist must come whole.
        del headers["Range"]
    connection = HTTPConnection(source.host, source.port)
    connection.sock = upstream
    with _failures(parts.netloc):
        url = parts.path + (f"?{parts.query}" if parts.query else "")
        host = parts.netloc.removesuffix(":443")
        connection.request("GET", url, headers={"Host": host, "Connection": "close", **headers})
        answer = connection.getresponse()
    if 300 <= answer.status < 400:
        where = _place(answer.headers.get("Location", ""))
        raise EgressRefused(
            HTTPStatus.FORBIDDEN,
            f"{parts.netloc} redirects to {where}, and redirects are not followed; allowed: the final URL itself",
        )
    if answer.status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise EgressRefused(_receiver_status(answer.status), f"{parts.netloc} answered {answer.status}")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise EgressRefused(HTTPStatus.BAD_GATEWAY, f"{parts.netloc} answers in an encoding that was not asked for")
    return Answer(answer, parts.netloc)


@contextmanager
def _failures(place: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise EgressRefused(HTTPStatus.GATEWAY_TIMEOUT, f"{place} stopped answering") from None
    except (HTTPException, OSError) as error:
        raise EgressRefused(HTTPStatus.BAD_GATEWAY, f"{place} broke off: {str(error) or repr(error):.100}") from None


def restore_urls(line: str) -> str:
    """Return a line of a client's log with the addresses that its operator knows: https, and no query.

    The client has http addresses. Port 443, which is always written out for it, is left out again.
    """
    return CLIENT_ADDRESS.sub(_restored, line)


def _restored(found: re.Match[str]) -> str:
    query = found[3] or ""
    return f"https://{found[1].removesuffix(':443')}{found[2]}{query[len(query.rstrip(SENTENCE_SIGNS)) :]}"


def own_response(status: HTTPStatus, text: str = "") -> bytes:
    """Return an answer of the proxy itself. Reasons are for the operator only, so that an error has no text."""
    return _head(status, {"Content-Type": "text/plain"} if text else {}, len(text)) + text.encode()


def _receiver_status(status: int) -> HTTPStatus:
    """Return the receiver's status for this status of the source's server."""
    try:
        return HTTPStatus(status) if status >= 400 else HTTPStatus.BAD_GATEWAY
    except ValueError:
        return HTTPStatus.BAD_GATEWAY


def _head(status: HTTPStatus, headers: Mapping[str, str], length: int | None) -> bytes:
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", "Connection: close"]
    lines += [f"{name}: {re.sub(r'[^ -~]', '', value)}" for name, value in headers.items()]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def _place(url: str) -> str:
    """Return where a URL leads, without what may be secret in it."""
    try:
        netloc = urlsplit(url).netloc
    except ValueError:
        netloc = ""
    return repr(netloc.rpartition("@")[2][:80]) if netloc else "another path of its own"
