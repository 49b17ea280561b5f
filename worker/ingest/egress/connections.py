"""Connections from the egress proxy to the servers of a source: to checked addresses only."""

import socket
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus

from chalicelib.domain.source_urls import SourceUrl
from worker.egress_rules import EgressRules
from worker.ingest.egress.resolving import resolve_all
from worker.ingest.errors import EgressRefused, HostRefused

# Looking up and connecting together; TLS has as long again.
CONNECT_S_MAX = 4.0
CONNECT_S_MIN = 0.1
ADDRESSES_MAX = 4

Keep = Callable[[socket.socket, float], None]


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
