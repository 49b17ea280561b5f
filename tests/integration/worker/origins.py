"""Servers of sources: TLS origins with certificates of the tests' own authority, and a listener that counts clients."""

import selectors
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

HEAD_BYTES_MAX = 65_536


class Listener:
    """A listener that counts its connections and passes each to `serve`."""

    def __init__(self, address: str, port: int = 0) -> None:
        self._listener = socket.create_server((address, port))
        self.address: str = address
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._came = threading.Condition()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._open: list[socket.socket] = []
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def hits(self) -> int:
        """Return the number of connections. One more, accepted after all others, makes the number final."""
        before = self.connections
        with socket.create_connection((self.address, self.port)), self._came:
            assert self._came.wait_for(lambda: self.connections > before, timeout=5)
            self.connections -= 1
            return self.connections

    def serve(self, client: socket.socket) -> None:
        """Close without a response."""

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with self._came:
                    self.connections += 1
                    self._came.notify_all()
                self._open.append(client)
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(10)
            self.serve(client)


@dataclass
class Page:
    """A response of an origin, sent piece by piece."""

    pieces: Iterator[bytes] | Sequence[bytes]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Origin(Listener):
    """An HTTPS server of `pages`; `asked` are the requested paths, in order."""

    def __init__(self, address: str, context: ssl.SSLContext, port: int = 0) -> None:
        self._context = context
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []
        super().__init__(address, port)

    @property
    def url(self) -> str:
        """Return the base URL, without a slash."""
        return f"https://{self.address}:{self.port}"

    def put(self, path: str, body: bytes | str, status: int = 200, **headers: str) -> None:
        """Add a page of one piece, with its length."""
        data = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = Page([data], status, {"Content-Length": str(len(data)), **named})

    def serve(self, client: socket.socket) -> None:
        with self._context.wrap_socket(client, server_side=True) as secured:
            self._open.append(secured)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                data = secured.recv(HEAD_BYTES_MAX)
                if not data:
                    return
                head += data
            path = head.split(b" ")[1].decode()
            self.asked.append(path)
            page = self.pages.get(path.partition("?")[0], Page([], 404, {"Content-Length": "0"}))
            lines = [
                f"HTTP/1.1 {page.status} Said",
                "Connection: close",
                *(f"{k}: {v}" for k, v in page.headers.items()),
            ]
            secured.sendall("\r\n".join([*lines, "", ""]).encode())
            for piece in page.pieces:
                secured.sendall(piece)


class Front(Listener):
    """TLS in front of a plain server on the loopback interface, which is asked after a client has sent something."""

    def __init__(self, address: str, context: ssl.SSLContext, behind: int) -> None:
        self._context = context
        self.behind = behind
        super().__init__(address)

    def serve(self, client: socket.socket) -> None:
        with self._context.wrap_socket(client, server_side=True) as secured:
            self._open.append(secured)
            first = secured.recv(65_536)
            if not first:
                return
            with socket.create_connection(("127.0.0.1", self.behind), timeout=10) as server:
                self._open.append(server)
                server.sendall(first)
                _exchange(secured, server)


def _exchange(one: ssl.SSLSocket, other: socket.socket) -> None:
    """Pass bytes both ways until one side ends. By one thread, since two must not use a TLS socket at once."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(65_536)
                if not data:
                    return
                key.data.sendall(data)
