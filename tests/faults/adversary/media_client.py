"""A plain HTTP client for media, which can break a transfer off and counts the bytes that arrived."""

import http.client
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

# Longer than the gateway holds a request back.
ANSWER_S_MAX = 20.0
CHUNK = 16_384
# A remote client's segment size and a small buffer. On this machine the kernel would take megabytes from nginx before
# the client reads them, so nginx would never notice that a transfer is broken off.
REMOTE_MSS, SMALL_BUFFER = 1_448, 8_192
# The duration and the path of a segment in a media playlist.
ENTRY = re.compile(r"#EXTINF:([0-9.]+),[^\n]*\n(?:#[^\n]*\n)*([^#\n]+)\n")
PARTS = re.compile(rb"Content-Range: bytes ([0-9]+)-([0-9]+)/([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True)
class MediaAnswer:
    """An answer. `parts` has the first byte and the number of bytes that arrived of each range; `size` is the whole.

    The status is 0 if there was no answer. `body` is empty for segments.
    """

    status: int
    body: bytes = b""
    parts: tuple[tuple[int, int], ...] = ()
    size: int = 0
    retry_after_s: float = 0.0

    @property
    def served(self) -> bool:
        return self.status in (200, 206)

    @property
    def refused_for_good(self) -> bool:
        """Whether the session or its token is over."""
        return self.status in (401, 402, 403, 410)


class RawConnection(http.client.HTTPConnection):
    """A connection that sends paths as they are."""

    def _encode_request(self, request: str) -> bytes:
        return request.encode("latin-1")


class MediaClient:
    """One connection, kept alive. It is for one thread."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def text(self, path: str, headers: dict[str, str]) -> MediaAnswer:
        """Return a playlist."""
        try:
            response = self._request(path, headers)
            body = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return MediaAnswer(0)
        return MediaAnswer(response.status, body, retry_after_s=_retry_after_s(response))

    def segment(self, path: str, headers: dict[str, str], share: float = 1.0) -> MediaAnswer:
        """Fetch a segment or ranges of it. Break the transfer off after this share of the answer."""
        try:
            response = self._request(path, headers)
            if response.status not in (200, 206):
                response.read()
                return MediaAnswer(response.status, retry_after_s=_retry_after_s(response))
        except (OSError, http.client.HTTPException):
            self.close()
            return MediaAnswer(0)
        if "multipart" in response.headers.get("Content-Type", ""):
            return self._multipart(response)
        answer_bytes = int(response.headers.get("Content-Length", 0))
        first, size = _range_of(response, answer_bytes)
        received = self._read(response, int(answer_bytes * share))
        if received < answer_bytes:
            self.close()
        return MediaAnswer(response.status, parts=((first, received),), size=size)

    def _request(self, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        if self._connection is None or self._connection.sock is None:
            self._connection = RawConnection(*self._address, timeout=ANSWER_S_MAX)
            self._connection.sock = remote_socket(self._address)
        self._connection.request("GET", path, headers=headers)
        return self._connection.getresponse()

    @staticmethod
    def _read(response: http.client.HTTPResponse, wanted: int) -> int:
        received = 0
        try:
            while received < wanted:
                piece = response.read(min(CHUNK, wanted - received))
                if not piece:
                    break
                received += len(piece)
        except (OSError, http.client.HTTPException):
            return received
        return received

    def _multipart(self, response: http.client.HTTPResponse) -> MediaAnswer:
        try:
            body = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return MediaAnswer(response.status)
        found = [tuple(map(int, numbers)) for numbers in PARTS.findall(body)]
        parts = tuple((first, last - first + 1) for first, last, _ in found)
        return MediaAnswer(response.status, parts=parts, size=found[0][2] if found else 0)


def remote_socket(address: tuple[str, int]) -> socket.socket:
    """Return a connection with the segment size and the buffer of a remote client."""
    client = socket.socket()
    client.settimeout(ANSWER_S_MAX)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, REMOTE_MSS)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    client.connect(address)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _range_of(response: http.client.HTTPResponse, answer_bytes: int) -> tuple[int, int]:
    """Return the first byte and the size of the whole."""
    found = re.fullmatch(r"bytes ([0-9]+)-[0-9]+/([0-9]+)", response.headers.get("Content-Range", ""))
    return (int(found[1]), int(found[2])) if found else (0, answer_bytes)


def _retry_after_s(response: http.client.HTTPResponse) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0
