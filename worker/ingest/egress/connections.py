"""Connections from the egress proxy to the servers of a source: to checked addresses only."""

import socket
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus

from chalicelib.domain.streams.source_urls import SourceUrl
from worker.egress_rules import EgressRules
from worker.ingest.egress.resolving import resolve_all
from worker.ingest.errors import EgressRefused, HostRefused

# The look-up and the connection together; TLS may take as long again.
CONNECT_S_MAX = 4.0
CONNECT_S_MIN = 0.1
ADDRESSES_MAX = 4

RegisterSocket = Callable[[socket.socket, float], None]


def connect(target: SourceUrl, rules: EgressRules, register: RegisterSocket) -> socket.socket:
    """Connect to one of the host's addresses, if all of them are allowed. Raise `EgressRefused`.

    `register` is called with every socket and its time limit.
    """
    deadline = time.monotonic() + CONNECT_S_MAX
    try:
        addresses = resolve_all(target.host, rules.networks, CONNECT_S_MAX, rules.lookup)[:ADDRESSES_MAX]
    except HostRefused as refused:
        raise EgressRefused(HTTPStatus.FORBIDDEN, str(refused)) from None
    for n, address in enumerate(addresses):
        upstream = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
        share_s = (deadline - time.monotonic()) / (len(addresses) - n)
        register(upstream, max(share_s, CONNECT_S_MIN))
        try:
            upstream.connect((str(address), target.port))
            return upstream
        except OSError as error:
            reason = str(error)
    raise EgressRefused(HTTPStatus.BAD_GATEWAY, f"{target.host!r} cannot be reached at port {target.port}: {reason}")


def secure(raw: socket.socket, target: SourceUrl, context: ssl.SSLContext, register: RegisterSocket) -> ssl.SSLSocket:
    """Return a TLS connection with the host's certificate verified. Raise `EgressRefused`."""
    raw.settimeout(CONNECT_S_MAX)
    secured = context.wrap_socket(raw, server_hostname=target.host, do_handshake_on_connect=False)
    register(secured, CONNECT_S_MAX)
    try:
        secured.do_handshake()
    except OSError as error:
        raise EgressRefused(HTTPStatus.BAD_GATEWAY, f"TLS with {target.host!r} failed: {error}") from None
    return secured
