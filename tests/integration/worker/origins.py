"""Servers that a source may have: TLS origins with certificates of an authority of the tests' own, and a listener
that only counts who comes."""

import ipaddress
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HEAD_BYTES_MAX = 65_536


class Authority:
    """Signs certificates; `ca_file` is what trusts them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tollcast tests")])
        self.ca_file = directory / "ca.pem"
        is_ca = x509.BasicConstraints(ca=True, path_length=0)
        signed = self._builder(self._name, self._key.public_key()).add_extension(is_ca, critical=True)
        usage = x509.KeyUsage(*(n in (5, 6) for n in range(9)))
        key_id = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        signed = signed.add_extension(usage, critical=True).add_extension(key_id, critical=False)
        self.ca_file.write_bytes(signed.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def context(self, *hosts: str) -> ssl.SSLContext:
        """For a server of these names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = self._builder(subject, key.public_key()).add_extension(names, critical=False)
        signed = signed.add_extension(issuer, critical=False)
        path = self._directory / f"{hosts[0]}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + signed.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _builder(self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        return builder.not_valid_after(now + timedelta(days=1))


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class Listener:
    """Accepts on one address until it is closed; each connection is counted and handed to `serve`."""

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
        """How many have come. A last one of our own, accepted after all of theirs, makes the number final."""
        before = self.connections
        with socket.create_connection((self.address, self.port)), self._came:
            assert self._came.wait_for(lambda: self.connections > before, timeout=5)
            self.connections -= 1
            return self.connections

    def serve(self, client: socket.socket) -> None:
        """Nothing is said; closing is enough of an answer."""

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
    """What an origin answers: pieces are sent one after the other."""

    pieces: Iterator[bytes] | Sequence[bytes]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Origin(Listener):
    """An HTTPS server of `pages`; `asked` are the paths that were asked for, in order."""

    def __init__(self, address: str, context: ssl.SSLContext, port: int = 0) -> None:
        self._context = context
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []
        super().__init__(address, port)

    @property
    def url(self) -> str:
        """Its root, without a slash."""
        return f"https://{self.address}:{self.port}"

    def put(self, path: str, body: bytes | str, status: int = 200, **headers: str) -> None:
        """A page of one piece, with its length."""
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
    """TLS before a plain server on the loopback interface, which is only asked once a client has said something."""

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
    """Hand on what each says, until one of them ends. By one thread, since two must not use a TLS socket at once."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(65_536)
                if not data:
                    return
                key.data.sendall(data)
