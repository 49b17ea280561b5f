"""Connections from the egress proxy to the servers of a source: to checked addresses only."""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from chalicelib.domain.streams.addresses import IpNetwork
from chalicelib.domain.streams.source_urls import SourceUrl
from worker.ingest.resolving import HostRefused, Lookup, resolve_all, system_lookup

# Looking up and connecting together; TLS has as long again.
CONNECT_S_MAX = 4.0
CONNECT_S_MIN = 0.1
ADDRESSES_MAX = 4

Keep = Callable[[socket.socket, float], None]


class EgressRefused(Exception):
    """What the receiver asked for is not done; the message says why, for the operator. `status` is for the receiver."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class EgressRules:
    """What the configuration allows. `ca_file` None: the authorities that the system trusts."""

    networks: tuple[IpNetwork, ...] = ()
    ports: frozenset[int] = frozenset()
    ca_file: Path | None = None
    lookup: Lookup = system_lookup


def connect(wanted: SourceUrl, rules: EgressRules, keep: Keep) -> socket.socket:
    """To one of the host's addresses, if all of them are allowed. `keep` takes every socket, with its time limit.

    Raises `EgressRefused`.
    """
    deadline = time.monotonic() + CONNECT_S_MAX
    try:
        addresses = resolve_all(wanted.host, rules.networks, CONNECT_S_MAX, rules.lookup)[:ADDRESSES_MAX]
    except HostRefused as refused:
        raise EgressRefused(HTTPStatus.FORBIDDEN, str(refused)) from None
    for n, address in enumerate(addresses):
        upstream = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
        share_s = (deadline - time.monotonic()) / (len(addresses) - n)
        keep(upstream, max(share_s, CONNECT_S_MIN))
        try:
            upstream.connect((str(address), wanted.port))
            return upstream
        except OSError as error:
            reason = str(error)
    raise EgressRefused(HTTPStatus.BAD_GATEWAY, f"{wanted.host!r} cannot be reached at port {wanted.port}: {reason}")


def secure(raw: socket.socket, wanted: SourceUrl, context: ssl.SSLContext, keep: Keep) -> ssl.SSLSocket:
    """TLS over a connection, with the host's certificate verified. Raises `EgressRefused`."""
    raw.settimeout(CONNECT_S_MAX)
    secured = context.wrap_socket(raw, server_hostname=wanted.host, do_handshake_on_connect=False)
    keep(secured, CONNECT_S_MAX)
    try:
        secured.do_handshake()
    except OSError as error:
        raise EgressRefused(HTTPStatus.BAD_GATEWAY, f"TLS with {wanted.host!r} failed: {error}") from None
    return secured
